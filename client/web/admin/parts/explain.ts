import { failureOf } from '../../../index.ts';
import { words } from '../texts/texts.ts';

/** A failed call as a sentence that says what to do. */
export function explain(error: unknown): string {
  const { code } = failureOf(error);
  const message = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  switch (code) {
    case 'network':
    case 'SERVICE_UNAVAILABLE':
      return words.errors.network;
    case 'TOO_MANY_REQUESTS':
      return words.errors.later;
    case 'UNAUTHORIZED':
      return words.signIn.ended;
    case 'FORBIDDEN':
      return words.errors.forbidden(message);
    case 'CONFLICT':
      return words.errors.conflict(message);
    case 'BAD_REQUEST':
      return words.errors.invalid(message.replace(/^Invalid input: /, ''));
    case 'NOT_FOUND':
      return words.errors.notFound;
    default:
      return words.errors.unexpected(message);
  }
}

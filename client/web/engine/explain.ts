import { failureOf } from '../../index.ts';
import { texts } from '../texts/texts.ts';

/** A failed call as a sentence that says what to do. */
export function explainFailure(error: unknown): string {
  const { code } = failureOf(error);
  switch (code) {
    case 'network':
    case 'SERVICE_UNAVAILABLE':
      return texts.errors.network;
    case 'TOO_MANY_REQUESTS':
      return texts.errors.later;
    case 'UNAUTHORIZED':
      return texts.errors.session;
    default:
      return texts.errors.unexpected(error instanceof Error ? error.message : String(error));
  }
}

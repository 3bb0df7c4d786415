// What happened to something that was asked for: told once, in a corner, and read out. Good news goes by itself, bad
// news stays until it is dismissed.
import {
  Button,
  Text,
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components';
import { words } from '../texts/texts.ts';
import { explain } from './explain.ts';

interface Notice {
  readonly kind: 'good' | 'bad';
  readonly text: string;
}

const goodNewsMs = 6_000;
const notices = new ToastQueue<Notice>({ maxVisibleToasts: 4 });

export function tell(text: string): void {
  notices.add({ kind: 'good', text }, { timeout: goodNewsMs });
}

export function tellBad(text: string): void {
  notices.add({ kind: 'bad', text });
}

export function tellFailure(error: unknown): void {
  tellBad(explain(error));
}

export function Notices() {
  return (
    <ToastRegion queue={notices} className="notices" aria-label={words.notices}>
      {({ toast }) => (
        <Toast toast={toast} className={`toast toast-${toast.content.kind}`}>
          <ToastContent>
            <Text slot="title">{toast.content.text}</Text>
          </ToastContent>
          <Button slot="close" aria-label={words.dismiss} className="toast-close">
            ×
          </Button>
        </Toast>
      )}
    </ToastRegion>
  );
}

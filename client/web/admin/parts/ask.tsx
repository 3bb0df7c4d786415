// A question before something that cannot be taken back lightly: its consequences by name, once. The act itself is on
// the button, so that nobody confirms an "OK".
import { type ReactNode, useState } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { words } from '../texts/texts.ts';
import { tellFailure } from './notices.tsx';

export function Ask({
  title,
  text,
  act,
  isDanger = false,
  children,
  onAct,
  onClose,
}: {
  title: string;
  text: string;
  act: string;
  isDanger?: boolean;
  children?: ReactNode;
  /** What fails is told, and the question stays open. */
  onAct: (form: FormData) => Promise<void>;
  onClose: () => void;
}) {
  const [isBusy, setBusy] = useState(false);
  const run = async (form: FormData) => {
    setBusy(true);
    try {
      await onAct(form);
      onClose();
    } catch (error) {
      tellFailure(error);
      setBusy(false);
    }
  };
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={isOpen => !isOpen && onClose()} className="veil">
      <Modal className="modal">
        <Dialog role="alertdialog" className="ask">
          <form
            onSubmit={event => {
              event.preventDefault();
              void run(new FormData(event.currentTarget));
            }}
          >
            <Heading slot="title">{title}</Heading>
            <p className="ask-text">{text}</p>
            {children}
            <div className="ask-acts">
              <button type="button" className="button button-quiet" onClick={onClose}>
                {words.cancel}
              </button>
              <button type="submit" className={`button ${isDanger ? 'button-danger' : ''}`} disabled={isBusy}>
                {act}
              </button>
            </div>
          </form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

import type { Ticket, LiveQueue } from '../../react/index.ts';
import type { DropWatch, TicketStatus } from '../engine/types.ts';
import { roughRange } from '../format/duration.ts';
import { formatCount } from '../format/number.ts';
import { texts } from '../texts/texts.ts';

type Waiting = Extract<TicketStatus, { kind: 'waiting' }>;

/** How many are ahead, derived from the drop's own ticks: the server sends nothing for each buyer. */
export function WaitingPlace(props: {
  status: Waiting;
  ticket: Ticket;
  place: LiveQueue['place'];
  watch: DropWatch | null;
}) {
  const { status, ticket, place, watch } = props;
  const lane = watch?.lanes.find(candidate => candidate.lane === status.lane);
  const serving = lane?.serving ?? 0;
  const ahead = Math.max(0, status.rank - serving);
  const isShuffled = watch?.key !== undefined && ticket.arrival < (lane?.lobbySize ?? 0);
  return (
    <>
      {watch && ahead === 0 ? (
        <p className="queue-lead">{texts.queue.waiting.next}</p>
      ) : (
        <p className="queue-lead figures">
          {watch ? formatCount(ahead) : '–'} <span>{texts.queue.waiting.ahead}</span>
        </p>
      )}
      <progress
        className="queue-progress"
        max={status.rank + 1}
        value={Math.min(serving, status.rank + 1)}
        aria-label={texts.queue.waiting.progress}
      />
      <p>{watch?.state === 'paused' ? texts.queue.waiting.paused : etaText(ahead, status, lane)}</p>
      <p className="hint figures">
        {texts.queue.waiting.rank(status.rank + 1)}
        {isShuffled && place?.rank === status.rank && (
          <span className="queue-checked"> · {texts.queue.waiting.checked}</span>
        )}
      </p>
    </>
  );
}

/** From the rate at which buyers are called now; before there is one, from the engine's own estimate on joining. */
function etaText(ahead: number, status: Waiting, lane: DropWatch['lanes'][number] | undefined): string {
  const perMinute = lane?.callsPerMin ?? 0;
  const [lowMs, highMs] =
    perMinute > 0
      ? [((ahead + 1) / perMinute) * 60_000, ((ahead + 1) / perMinute) * 120_000]
      : (status.etaMs ?? [null, null]);
  if (lowMs === null || highMs === null) return '';
  if (highMs < 60_000) return texts.queue.waiting.soon;
  return texts.queue.waiting.eta(roughRange(lowMs, highMs));
}

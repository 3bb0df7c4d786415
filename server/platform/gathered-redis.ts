// A connection to Redis on which the commands of a turn or two of the event loop go out as one write. ioredis' own
// auto-pipelining does that, too, but sends nothing while a pipeline is being answered, and gives no answer before the
// last one is there: this process waits while Redis works, and Redis while this process does, each with a core of its
// own. Here they work at once: commands leave as they come, gathered, and each answer is given as it arrives.
//
// Everything else is ioredis' own way with single commands: what was sent and not answered when a connection broke is
// sent again on the next one, in its order, or refused after the retries; what was gathered and never left is among it.
import { Redis } from 'ioredis';
import { limits } from '../limits.ts';
import { gatherTurns } from './gather-turns.ts';

type SendCommand = Redis['sendCommand'];
type Socket = Redis['stream'];

export class GatheredRedis extends Redis {
  /** The one that holds back what is written to it; null while nothing has been. */
  #gathering: Socket | null = null;
  #gatheredCount = 0;
  readonly #sendInTime = gatherTurns({ count: () => this.#gatheredCount, send: () => this.#send() });

  override sendCommand(...[command, stream]: Parameters<SendCommand>): ReturnType<SendCommand> {
    this.#gather();
    const answer = super.sendCommand(command, stream);
    this.#gatheredCount += 1;
    // A crowd of one turn is not kept until the turn is over: Redis begins with the first of it.
    if (this.#gatheredCount >= limits.gatheredCommandsCount) this.#send();
    return answer;
  }

  /** A socket that has been replaced meanwhile took with it what it held back; ioredis knows of those commands. */
  #gather(): void {
    const socket: Socket | undefined = this.stream;
    if (!socket || socket === this.#gathering) return;
    if (!this.#gathering) this.#sendInTime();
    socket.cork();
    this.#gathering = socket;
    this.#gatheredCount = 0;
  }

  #send(): void {
    this.#gathering?.uncork();
    this.#gathering = null;
    this.#gatheredCount = 0;
  }
}

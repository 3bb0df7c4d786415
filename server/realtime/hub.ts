// Sends what is the same for everybody to a crowd. Each message is encoded once for the whole process; a socket's
// frame differs from another's only in the id of the subscription, and clients count those from 1, so the sockets
// of a room stand in a few groups, and the same bytes go to all of a group.
//
// A socket that reads slowly is never queued more than `socketBehindBytes`: it skips what it could not take and gets
// the newest once it has caught up. So a tick costs the same however slow somebody is.
import { transformTRPCResponse, type AnyRouter } from '@trpc/server';
import type { Channel, Told } from './broadcast.ts';
import { limits } from '../limits.ts';

type RouterConfig = AnyRouter['_def']['_config'];

/** The part of a WebSocket that the hub writes to. */
export interface Outlet {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: Buffer, options: { binary: boolean }): void;
}

export interface Hub {
  /**
   * Sends the newest message now and each one after it, each beginning with `head`: the reply up to and including
   * its id.
   */
  join(channel: Channel<unknown>, outlet: Outlet, head: string): Member;
  /** Members of all rooms. */
  readonly membersCount: number;
}

/** One subscription. A class, since there are many: a closure for leaving would cost more than all the rest of it. */
export class Member {
  readonly outlet: Outlet;
  readonly head: string;
  readonly #room: Room;

  constructor(room: Room, outlet: Outlet, head: string) {
    this.#room = room;
    this.outlet = outlet;
    this.head = head;
  }

  leave(): void {
    this.#room.leave(this);
  }
}

interface Room {
  /** The newest message, from behind the id to its end. */
  tail: string;
  membersCount: number;
  readonly byHead: Map<string, Set<Member>>;
  /** Those whose ids are unlike anybody's; each gets bytes of its own. */
  readonly strangers: Set<Member>;
  /** Those who missed a message, and get the newest when they have read what waits for them. */
  readonly behind: Set<Member>;
  leave(member: Member): void;
}

const openState = 1;
/** One object for all frames: `ws` only reads it. */
const asText = { binary: false };

export function createHub(options: { config: RouterConfig }): Hub {
  const { config } = options;
  const rooms = new Map<Channel<unknown>, Room>();
  let membersCount = 0;
  let catchUp: NodeJS.Timeout | null = null;

  const openRoom = (channel: Channel<unknown>): Room => {
    const release = channel.retain();
    const stop = channel.listen(() => {
      room.tail = tailOf(config, channel.latest);
      tell(room);
    });
    const room: Room = {
      tail: tailOf(config, channel.latest),
      membersCount: 0,
      byHead: new Map(),
      strangers: new Set(),
      behind: new Set(),
      leave(member) {
        const group = room.byHead.get(member.head);
        if (!group?.delete(member) && !room.strangers.delete(member)) return;
        if (group?.size === 0) room.byHead.delete(member.head);
        room.behind.delete(member);
        room.membersCount -= 1;
        membersCount -= 1;
        if (room.membersCount > 0) return;
        stop();
        release();
        rooms.delete(channel);
      },
    };
    rooms.set(channel, room);
    return room;
  };
  const tell = (room: Room) => {
    for (const [head, members] of room.byHead) {
      const bytes = Buffer.from(head + room.tail);
      for (const member of members) offer(room, member, bytes);
    }
    for (const member of room.strangers) offer(room, member, null);
  };
  const offer = (room: Room, member: Member, bytes: Buffer | null) => {
    const { outlet } = member;
    if (outlet.readyState !== openState) return;
    if (outlet.bufferedAmount > limits.socketBehindBytes) {
      room.behind.add(member);
      catchUp ??= setInterval(serveThoseBehind, limits.watchTickMs);
      return;
    }
    if (room.behind.size > 0) room.behind.delete(member);
    outlet.send(bytes ?? Buffer.from(member.head + room.tail), asText);
  };
  const serveThoseBehind = () => {
    let waitingCount = 0;
    for (const room of rooms.values()) {
      for (const member of room.behind) offer(room, member, null);
      waitingCount += room.behind.size;
    }
    if (waitingCount > 0 || !catchUp) return;
    clearInterval(catchUp);
    catchUp = null;
  };

  return {
    get membersCount() {
      return membersCount;
    },
    join(channel, outlet, head) {
      const room = rooms.get(channel) ?? openRoom(channel);
      let group = room.byHead.get(head);
      if (!group && room.byHead.size < limits.hubGroupsCount) {
        group = new Set();
        room.byHead.set(head, group);
      }
      // The group's own text of the head: each socket brings one that reads the same.
      const [shared] = group ?? [];
      const member = new Member(room, outlet, shared?.head ?? head);
      (group ?? room.strangers).add(member);
      room.membersCount += 1;
      membersCount += 1;
      offer(room, member, null);
      return member;
    },
  };
}

/** A message as it stands behind the id, for every subscription alike. */
function tailOf(config: RouterConfig, { id, data }: Told<unknown>): string {
  const result = { type: 'data' as const, data: { id, data }, id };
  const whole = JSON.stringify(transformTRPCResponse(config, { id: null, result }));
  return whole.slice('{"id":null'.length);
}

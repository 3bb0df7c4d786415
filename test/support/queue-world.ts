// One drop in a real Redis, played with by random acts, and what must hold after each of them. The world believes only
// what it saw: which calls took effect, which claims were answered with a pass. It knows nothing of how the scripts work.
import { strict as assert } from 'node:assert';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import type { Drop, Lane } from '../../server/drops/drop.ts';
import { newBuyerId, type BuyerId, type HoldId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { dropKey } from '../../server/platform/keys.ts';
import type { Call, Standing } from '../../server/queue/queue.store.ts';
import { newHoldId, skuOf, type Engine } from './engine.ts';

export type Act =
  | { act: 'join'; count: number; code: boolean }
  | { act: 'look' | 'leave' | 'hold' | 'rejoin'; who: number }
  | { act: 'settle' | 'release'; who: number }
  | { act: 'look-all' }
  | { act: 'wait'; ms: number }
  | { act: 'throttle'; ratePerSec: number; activeMax: number }
  | { act: 'pause' | 'resume' | 'sweep' | 'propose' }
  | { act: 'admit'; times: number };

interface Person {
  readonly buyerId: BuyerId;
  standing: { lane: Lane; arrival: number };
  state: 'waiting' | 'shopping' | 'over';
  passesCount: number;
  lateCount: number;
  pass: number;
  hold: HoldId | null;
  everHeld: boolean;
  /** The pass has run out, and no sweep has met it yet. */
  lapsed: boolean;
}

const lobbyKey = Buffer.alloc(32, 7).toString('base64url');
export const codeUses = 4;

export class QueueWorld {
  readonly people: Person[] = [];
  readonly calls: Call[] = [];
  readonly drop: Drop;
  private readonly engine: Engine;
  private ranks = new Map<Lane, (arrival: number) => number>();
  private aheadMs = 31_000;
  private activeMax = 12;
  /** The loosest settings that a call may still go by: those of the time it was proposed. */
  private activeMaxOfProposal = 0;
  private rates: { atMs: number; ratePerSec: number }[] = [];

  private constructor(engine: Engine, drop: Drop) {
    this.engine = engine;
    this.drop = drop;
  }

  /** A shuffled drop whose lobby holds so many, with and without a code, just opened. */
  static async open(engine: Engine, lobby: { general: number; priority: number }): Promise<QueueWorld> {
    const drop = await engine.load({
      mode: 'shuffle',
      opensAtMs: Date.now() + 30_000,
      ratePerSec: 3,
      activeMax: 12,
      items: [
        {
          sku: skuOf('sku-a'),
          title: 'A',
          price: { amount: 100, currency: 'EUR' },
          total: 500,
          withdrawn: 0,
        },
      ],
      codes: [{ hash: 'code', maxUses: codeUses }],
    });
    const world = new QueueWorld(engine, drop);
    await world.join(lobby.general, false);
    await world.join(lobby.priority, true);
    await engine.setAheadMs(drop, 29_500);
    await engine.live.open(drop.dropId, '');
    await engine.setAheadMs(drop, 30_100);
    await engine.live.open(drop.dropId, lobbyKey);
    await engine.setAheadMs(drop, world.aheadMs);
    const view = await engine.live.look(drop.dropId);
    assert.equal(view?.state, 'open');
    for (const { lane, lobbySize } of view?.lanes ?? [])
      world.ranks.set(lane, lobbyRanks({ key: lobbyKey, lane, size: lobbySize }));
    world.rates = [{ atMs: 0, ratePerSec: 3 }];
    return world;
  }

  async play(act: Act): Promise<void> {
    const { engine, drop } = this;
    switch (act.act) {
      case 'join':
        await this.join(act.count, act.code);
        break;
      case 'look':
        await this.withPerson(act.who, person => this.look(person));
        break;
      case 'look-all':
        await Promise.all(this.people.map(person => this.look(person)));
        break;
      case 'rejoin':
        await this.withPerson(act.who, async person => {
          const joined = await engine.queue.join(drop.dropId, person.buyerId, { codes: ['code'] });
          assert.deepEqual(
            joined.kind === 'joined' ? { lane: joined.lane, arrival: joined.arrival } : joined,
            person.standing,
            'who joins again has the ticket that they had',
          );
        });
        break;
      case 'leave':
        await this.withPerson(act.who, async person => {
          await engine.queue.leave(drop.dropId, person.buyerId, this.standingOf(person));
          person.state = 'over';
          person.lapsed = false;
        });
        break;
      case 'hold':
        await this.withPerson(act.who, person => this.hold(person));
        break;
      case 'settle':
      case 'release':
        await this.withPerson(act.who, person => this.endHold(person, act.act));
        break;
      case 'wait':
        this.aheadMs += act.ms;
        await engine.setAheadMs(drop, this.aheadMs);
        if (act.ms < 0) await this.setRatesBack();
        break;
      case 'throttle':
        this.activeMax = act.activeMax;
        await engine.live.load({ ...drop, ratePerSec: act.ratePerSec, activeMax: act.activeMax });
        this.rates.push({ atMs: await this.nowMs(), ratePerSec: act.ratePerSec });
        break;
      case 'pause':
      case 'resume':
        await engine.live.steer(drop.dropId, { action: act.act });
        this.isPaused = (await this.view()).state === 'paused';
        break;
      case 'sweep':
        await engine.holds.sweep(drop.dropId);
        for (const person of this.people) person.lapsed = false;
        for (const person of this.people)
          if (person.state === 'shopping') await this.look(person, { swept: true });
        break;
      case 'propose':
        await this.propose();
        break;
      case 'admit':
        await this.admit(act.times);
        break;
    }
    await this.check();
  }

  /** Lets everybody through who is still there, and finds that nobody was forgotten. */
  async drain(): Promise<void> {
    await this.play({ act: 'resume' });
    await this.play({ act: 'throttle', ratePerSec: 1_000, activeMax: 1_000 });
    for (let round = 0; this.people.some(person => person.state === 'waiting'); round += 1) {
      assert.ok(round < 12, 'everybody is called in the end');
      await this.play({ act: 'wait', ms: 22_000 });
      for (let times = 0; times < 4; times += 1) await this.admit(1);
      await Promise.all(this.people.map(person => this.look(person)));
      await this.check();
    }
  }

  private async join(count: number, code: boolean): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const buyerId = newBuyerId();
        const joined = await this.engine.queue.join(this.drop.dropId, buyerId, {
          codes: code ? ['code'] : [],
        });
        if (joined.kind !== 'joined') return;
        const { lane, arrival } = joined;
        this.people.push({
          buyerId,
          standing: { lane, arrival },
          state: 'waiting',
          passesCount: 0,
          lateCount: 0,
          pass: 0,
          hold: null,
          everHeld: false,
          lapsed: false,
        });
      }),
    );
  }

  private standingOf({ standing }: Person): Standing {
    const rankOf = this.ranks.get(standing.lane);
    return { ...standing, rank: rankOf ? rankOf(standing.arrival) : null };
  }

  /** `swept`: something has just ended the passes that have run out. */
  private async look(person: Person, { swept = false } = {}): Promise<void> {
    const before = this.standingOf(person);
    const claim = await this.engine.queue.claim(this.drop.dropId, person.buyerId, before);
    switch (claim.kind) {
      case 'called':
        if (person.state !== 'shopping') {
          person.passesCount += 1;
          const { lane, rank } = before;
          const mine = this.calls.filter(
            call => call.lane === lane && rank !== null && call.from <= rank && rank < call.to,
          );
          assert.equal(mine.length, 1, 'a pass comes from one call');
          const calledAtMs = mine[0]?.atMs ?? 0;
          // A proposal may have lain for a while before it took effect; none here lies longer than all waits together.
          if (!this.lain.has(mine[0]?.seq ?? -1))
            assert.ok(
              claim.expiresAtMs - this.drop.passTtlMs < calledAtMs + this.drop.callWindowMs + 1_000,
              'a call is claimed in its window',
            );
        }
        person.state = 'shopping';
        person.pass = claim.expiresAtMs;
        break;
      case 'moved':
        person.standing = { lane: claim.lane, arrival: claim.arrival };
        person.lateCount += 1;
        assert.equal(claim.lane, 'late');
        assert.notEqual(before.lane, 'late', 'nobody is late twice');
        break;
      case 'missed':
        assert.notEqual(person.state, 'shopping');
        person.state = 'over';
        break;
      case 'done':
      case 'left':
        person.lapsed ||= person.state === 'shopping' && !swept;
        person.state = 'over';
        break;
      case 'waiting':
        assert.equal(person.state, 'waiting', 'nobody who has a pass waits');
        break;
      case 'unknown':
        throw new Error('a ticket was forgotten');
    }
  }

  private async hold(person: Person): Promise<void> {
    if (person.state !== 'shopping' || person.hold || person.everHeld) return;
    const holdId = newHoldId();
    const placed = await this.engine.place(
      this.drop,
      { buyerId: person.buyerId, passExpiresAtMs: person.pass },
      { holdId, quoteExpiresAtMs: Date.now() + 100 * 3_600_000 },
    );
    if (placed.kind !== 'held') return;
    person.hold = holdId;
    person.everHeld = true;
    await this.engine.holds.pay(this.drop.dropId, holdId);
  }

  private async endHold(person: Person, how: 'settle' | 'release'): Promise<void> {
    if (!person.hold) return;
    if (how === 'settle') await this.engine.holds.settle(this.drop.dropId, person.hold);
    else await this.engine.holds.release(this.drop.dropId, person.hold, 'order');
    person.hold = null;
    if (person.state === 'shopping') await this.look(person, { swept: true });
  }

  /** Calls of proposals that were left lying by the process that made them. */
  private readonly lain = new Set<number>();

  private async propose(): Promise<void> {
    const proposal = await this.engine.queue.admit(this.drop.dropId);
    if (proposal.kind === 'idle') return;
    this.checkPause(proposal.call);
    if (!this.lain.has(proposal.call.seq)) this.activeMaxOfProposal = this.activeMax;
    this.lain.add(proposal.call.seq);
  }

  private isPaused = false;
  /** The highest number of a call that was proposed so far. */
  private lastProposedSeq = -1;

  /** What was proposed before a pause may still take effect; nothing is proposed in it. */
  private checkPause({ seq }: Call): void {
    assert.ok(!this.isPaused || seq <= this.lastProposedSeq, 'nobody is called while it is paused');
    this.lastProposedSeq = Math.max(this.lastProposedSeq, seq);
  }

  /** So many processes at once, each of which proposes and then puts into effect what it was told. */
  private async admit(times: number): Promise<void> {
    const { queue } = this.engine;
    await Promise.all(
      Array.from({ length: times }, async () => {
        const proposal = await queue.admit(this.drop.dropId);
        if (proposal.kind === 'idle') return;
        this.checkPause(proposal.call);
        const effect = await queue.call(this.drop.dropId, proposal.call.seq);
        if (effect.kind === 'called') this.calls.push(proposal.call);
      }),
    );
    await this.check();
    const called = this.calls.length;
    const view = await this.view();
    if (called > this.seenCalls) {
      const activeMax = Math.max(this.activeMax, this.lain.size > 0 ? this.activeMaxOfProposal : 0);
      assert.ok(view.activeCount + view.unclaimedCount <= activeMax, 'activeMax is kept');
    }
    this.seenCalls = called;
  }
  private seenCalls = 0;

  private async check(): Promise<void> {
    const view = await this.view();
    const calls = this.calls.toSorted((a, b) => a.seq - b.seq);
    assert.deepEqual(
      calls.map(call => call.seq),
      calls.map((_, index) => index),
      'each call takes effect once',
    );
    const served = new Map<Lane, number>();
    for (const { lane, from, to } of calls) {
      assert.equal(from, served.get(lane) ?? 0, 'calls follow rank, without a gap');
      assert.ok(to > from);
      served.set(lane, to);
    }
    for (const { lane, serving, arrived } of view.lanes) {
      assert.equal(serving, served.get(lane) ?? 0, 'serving is how far the calls came');
      assert.ok(serving <= arrived);
    }
    const coded = view.lanes.find(({ lane }) => lane === 'priority')?.arrived;
    assert.ok((coded ?? 0) <= codeUses, 'a code gives no more places than it may');
    for (const person of this.people) {
      assert.ok(person.passesCount <= 1, 'nobody is called twice');
      assert.ok(person.lateCount <= 1, 'nobody is late twice');
    }
    this.checkRate(calls);
    await this.checkCounters(view);
  }

  /** In no second more than what the bucket holds and what flows into it, at the fastest rate of that time. */
  private checkRate(calls: readonly Call[]): void {
    for (const last of calls) {
      const fromMs = last.atMs - 1_000;
      const count = calls
        .filter(call => call.atMs > fromMs && call.atMs <= last.atMs)
        .reduce((sum, call) => sum + call.to - call.from, 0);
      const inForce = this.rates.filter((rate, index) => {
        const endMs = this.rates[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
        return rate.atMs <= last.atMs && endMs >= fromMs - 1_000;
      });
      const fastest = Math.max(...inForce.map(rate => rate.ratePerSec));
      const bucket = Math.max(1, fastest * limits.admitBurstSec);
      assert.ok(count <= Math.floor(bucket + fastest) + 1, 'the rate is kept');
    }
  }

  /** A clock that went back comes a second time by when a rate was set: it is in force there as well. */
  private async setRatesBack(): Promise<void> {
    const nowMs = await this.nowMs();
    this.rates = this.rates.map(rate => ({ ...rate, atMs: Math.min(rate.atMs, nowMs) }));
  }

  private async checkCounters(view: { activeCount: number; unclaimedCount: number }): Promise<void> {
    const { dropId } = this.drop;
    const withPass = this.people.filter(person => person.state === 'shopping' || person.lapsed).length;
    assert.equal(view.activeCount, withPass, 'the passes are those of who is shopping');
    const { redis } = this.engine;
    const [open, claims, withHold] = await Promise.all([
      redis.zrange(dropKey(dropId, 'calls'), '0', '-1'),
      redis.hgetall(dropKey(dropId, 'claims')),
      redis.hget(dropKey(dropId, 'queue'), 'withHold'),
    ]);
    const unclaimed = open
      .map(member => member.split(':').map(Number))
      .reduce((sum, [seq = 0, from = 0, to = 0]) => sum + to - from - Number(claims[String(seq)] ?? 0), 0);
    assert.equal(view.unclaimedCount, unclaimed, 'unclaimed is what open calls have left');
    const holding = this.people.filter(person => person.state === 'shopping' && person.hold).length;
    assert.equal(Number(withHold), holding, 'withHold counts the shopping with a live hold');
  }

  private async view() {
    const view = await this.engine.live.look(this.drop.dropId);
    if (!view) throw new Error('the drop is gone');
    return view;
  }

  private async nowMs(): Promise<number> {
    return (await this.view()).nowMs;
  }

  private async withPerson(who: number, act: (person: Person) => Promise<void>): Promise<void> {
    const person = this.people[who % Math.max(1, this.people.length)];
    if (person) await act(person);
  }
}

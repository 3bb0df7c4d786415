// Every bound of the engine, with its reason. Relations between bounds are asserted at the end, at start.
import { strict as assert } from 'node:assert';

const KIB = 1024;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const limits = {
  // --- HTTP -------------------------------------------------------------------------------------------
  /** The largest honest body is a product with all its variants, well under this. */
  httpBodyBytes: 64 * KIB,
  /** A page start needs five or six calls; ten leaves room, and bounds what one request may cost. */
  batchCallsCount: 10,
  /** Ten procedure names of sixty characters and their commas. */
  httpPathChars: 1 * KIB,
  /** A GET carries its input in the address: a ticket (300 B), a sealed quote (up to 4 KiB), URL-encoded. */
  httpHeaderBytes: 24 * KIB,
  /** Slow headers and slow bodies hold a socket, not a thread, but sockets are counted too. */
  httpHeadersTimeoutMs: 10 * SECOND,
  httpRequestTimeoutMs: 15 * SECOND,
  /** Longer than the idle timeout of common load balancers (60 s), so that they close first and no request is lost. */
  httpKeepAliveTimeoutMs: 65 * SECOND,

  // --- WebSocket --------------------------------------------------------------------------------------
  /** A hold with its pass and its sealed quote is about 5 KiB; the largest cart's is 15 KiB. */
  socketMessageBytes: 16 * KIB,
  /**
   * A client splits nothing that small; a bad link may deliver it in as many pieces as it has packets (12 of 1,400
   * bytes). Beyond that somebody spends our time on empty fragments or single bytes.
   */
  socketFragmentsCount: 64,
  socketChunksCount: 256,
  /** A page sends a handful of messages when it opens; sixty a second is a program. */
  socketMessagesPerSec: 60,
  /** drop.watch, queue.watch, order.watch for a few tabs' worth on one socket. */
  socketSubscriptionsCount: 24,
  /** A tab each; the eleventh tab of one buyer is a script. */
  socketsPerBuyerCount: 10,
  /** A campus or a carrier's NAT may hide tens of thousands of buyers behind one address. */
  socketsPerAddressCount: 20_000,
  /** The client sends its parameters in the same packet as the handshake's end; 5 s is a bad mobile link. */
  socketParamsTimeoutMs: 5 * SECOND,
  /** What may wait for a slow reader: about 1,000 ticks. Beyond it the socket is closed, not fed. */
  socketBufferedBytes: 1024 * KIB,
  /** What may wait before a socket skips ticks until it has read: a few dozen of them. */
  socketBehindBytes: 32 * KIB,
  /** Clients count ids from 1, and an id comes back in each of its frames. */
  socketIdChars: 64,
  /** Different ids that share their bytes in a room of the hub; what a client makes up beyond them costs only itself. */
  hubGroupsCount: 64,
  socketPingMs: 25 * SECOND,
  socketPongWaitMs: 10 * SECOND,
  /** One look at all sockets and streams, for pings and expired tokens: a timer for each would be dearer than they are. */
  socketSweepMs: 1 * SECOND,
  /** At a shutdown, clients come back spread over this time, so that the next process is not stormed. */
  reconnectSpreadMs: 5 * SECOND,

  // --- server-sent events -----------------------------------------------------------------------------
  /** Each subscription is a stream of its own: three for each of ten tabs, as with sockets. */
  streamsPerBuyerCount: 30,
  /** Three for each of the sockets that an address may have. */
  streamsPerAddressCount: 60_000,

  // --- sessions and sealed values ---------------------------------------------------------------------
  /** Longer than any drop; short enough that a stolen token dies by itself. */
  sessionTtlMs: 24 * HOUR,
  /** A quote of twenty lines, each with a long title, a tier, a group, a tax class and a discount. */
  sealedTextChars: 14 * KIB,
  /** Verified session tokens, and as many tickets, remembered in each process, about 1 KiB each. */
  sealedCacheCount: 20_000,

  // --- rates, each a count per window -----------------------------------------------------------------
  /** Sessions are cheap to make, and a NAT is large; the bot gate is what stops scripts. */
  sessionsPerAddressPerMin: 20_000,
  /** A buyer's honest journey is ten writes; this leaves room for trying other carts. */
  writesPerBuyerPerMin: 120,
  /** Each hold takes real units away from others for a while: nobody needs thirty a minute. */
  holdsPerBuyerPerMin: 30,
  /** An honest buyer mistypes a code a few times; guessing needs thousands of tries. */
  codesPerBuyerPerMin: 10,
  /** Sessions are cheap, so tries are counted by address too: an office may share one, a guesser's list is longer. */
  codesPerAddressPerMin: 300,
  /** For a whole campus behind one address, and for a load test from one machine; it stops no honest crowd. */
  readsPerAddressPerSec: 50_000,

  /** Counted by one script, which holds up its Redis while it runs: so many take less than a millisecond. */
  gatheredRatesCount: 256,
  /** Commands to the Redis of the stock that go out as one write: enough to spare most writes, few enough for it to begin early. */
  gatheredCommandsCount: 16,
  /** Turns of the event loop for which a crowd's commands or counts are gathered: under load some tenths of a millisecond. */
  gatheredTurnsCount: 4,

  // --- drops ------------------------------------------------------------------------------------------
  /** Names of keys remembered in each process, 1 KiB for each drop: more than are ever on at once. */
  dropKeysCount: 200,
  dropItemsCount: 50,
  /** Quantity tiers of an item: what a page can show. */
  dropTiersCount: 10,
  /** Unit documents are made with the drop; a hundred thousand take seconds, not minutes. */
  dropUnitsCount: 200_000,
  /**
   * Steps of a falling price: a hundred for an item are more than anybody follows, and five hundred of a whole drop, at
   * some 70 bytes each, keep its answer well under a body. A second at least, since a countdown shows seconds.
   */
  itemPriceStepsCount: 100,
  dropPriceStepsCount: 500,
  priceStepMs: { min: 1 * SECOND, max: 30 * 24 * HOUR },
  perBuyerMaxCount: 100,
  ratePerSecMax: 10_000,
  activeMaxCount: 100_000,
  /** Proofs sent at once by each process: a lobby of a million is 43 MB. */
  proofDownloadsCount: 4,
  /** N is frozen this long before opening, so that every process knows it when the key is published. */
  lobbyFreezeLeadMs: 1_000,
  /**
   * Falls of a price that are closer than this still come when an operator holds it: pages that are open count down to
   * them, and look again within this time.
   */
  priceHoldLeadMs: 60 * SECOND,
  /**
   * A drop's opening and its terms may change until so long before it opens: a freeze of the lobby, and the time that a
   * change takes to reach Redis even where MongoDB is slow.
   */
  termsLeadMs: 5_000,
  /** The conductor of each process looks at each live drop this often. */
  conductorTickMs: 200,
  /** At most four ticks a second for each drop: what an eye can follow, and what a crowd can be sent. */
  watchTickMs: 250,
  /** Figures for an operator's eye; each costs counts in MongoDB, shared by all who watch the drop in this process. */
  statsTickMs: 1 * SECOND,
  /** A watcher is told the truth at least this often, even if a notification was lost. */
  watchHeartbeatMs: 5 * SECOND,

  // --- the queue --------------------------------------------------------------------------------------
  callWindowMs: { min: 1 * SECOND, default: 20 * SECOND, max: 10 * MINUTE },
  passTtlMs: { min: 5 * SECOND, default: 5 * MINUTE, max: 1 * HOUR },
  holdTtlMs: { min: 1 * SECOND, default: 3 * MINUTE, max: 1 * HOUR },
  paymentWindowMs: { min: 5 * SECOND, default: 10 * MINUTE, max: 1 * HOUR },
  /** One admission calls at most this many: it bounds one script's work and one log entry. */
  admitBatchCount: 500,
  /**
   * Calls beyond what the stock can serve, because not everybody who is called pays: as a drop begins, and the most that
   * it may learn. Three means that one in four pays; beyond that, the called would find nothing on the shelf.
   */
  admitSlack: { first: 0.25, max: 3 },
  /** How calls are shared among the lanes that wait. Whole numbers from 1 to 10. */
  laneWeights: { general: 6, priority: 3, late: 1 },
  /** How the calling went lately is kept as so many marks, this far apart: half a minute of it. */
  paceEveryMs: 2 * SECOND,
  paceCount: 16,
  /** The token bucket holds this many seconds of its rate: a pause of the engine is not made up for in a burst. */
  admitBurstSec: 1,
  sweepBatchCount: 500,
  /**
   * So many arrivals of a lane are reserved in MongoDB ahead of those that came. After Redis has lost data they are passed
   * over as calls that nobody claims: few while few come; a block doubles where the last one was used up at once.
   */
  arrivalBlockCount: { min: 64, max: 16_384 },
  arrivalBlockMs: 1 * SECOND,

  // --- the rebuild of a drop --------------------------------------------------------------------------
  /** A rebuild that says nothing for this long has died, and another process begins anew. */
  rebuildLeaseMs: 5 * SECOND,
  rebuildKeepMs: 1 * SECOND,
  /** Holds in one script of a rebuild: some 5 ms of Redis' time, between which it serves other drops. */
  rebuildBatchCount: 250,
  /** Stock is held against the ledger this often: drift is put right by the second look, within 30 s. */
  reconcileMs: 10 * SECOND,

  // --- the bot gate -----------------------------------------------------------------------------------
  /** Visits of one address (challenges, and joins that needed none) are counted this long: a drop's rush is over by then. */
  gateMemoryMs: 10 * MINUTE,
  /** `auto`: a household or a small office joins without a proof, a farm of sessions does not. */
  gateAutoJoinsCount: 20,
  /**
   * The range of the hidden number, half of which is tried on average: 25,000 hashes are a quarter of a second on a
   * slow phone (100,000 a second in its browser); with each hundred visits as much again, up to some five seconds.
   */
  gateWork: { first: 50_000, stepVisits: 100, max: 1_000_000 },
  /** Beyond it an address waits: a carrier's NAT has tens of thousands behind it, a farm would have more. */
  gateVisitsCount: 50_000,
  /** Enough for the slowest phone at the hardest challenge, in a page that is not in front. */
  gateChallengeTtlMs: 5 * MINUTE,

  // --- carts, quotes, orders --------------------------------------------------------------------------
  cartLinesCount: 20,
  lineQuantityCount: 100,
  quoteTtlMs: 10 * MINUTE,
  /** Ended holds are remembered this long, so that a replay of their id finds them. */
  endedHoldTtlMs: 24 * HOUR,
  /** Stripe's largest amount has eight digits in minor units. */
  amountMinorMax: 99_999_999,
  listPageCount: { default: 20, max: 100 },

  // --- prices -----------------------------------------------------------------------------------------
  /** Quotes that wait for a thread; beyond it the answer is `busy`, at once. */
  priceQueueCount: 5_000,
  priceBatchCount: 256,
  /** Prices in one block of a list: a millisecond of a thread, behind which a batch of carts may have to wait. */
  repriceBlockCount: 10_000,
  /** Products in one call of a repricing: each is a write of its own, so a call takes some hundred milliseconds. */
  repricePageCount: 200,
  /**
   * Repricings that are under way at once. A product remembers twice as many that changed it (40 bytes each), so that
   * one which was killed is known again after all the others have passed over the product.
   */
  repricingsCount: 5,
  repricingMarksCount: 10,
  /** A price may fall to almost nothing or rise elevenfold; what is beyond is a slip. */
  repricePercent: { min: -99, max: 1_000 },
  /** Article 6a of Directive 98/6/EC: what a reduction is compared with, and for how long it is one. */
  priceNoticeMs: 30 * 24 * HOUR,
  /** Changes of one price that are read: one a day for longer than a year. */
  priceHistoryCount: 400,
  /** Drops of one SKU that are looked at: one a day for the 30 days that count, and those that are planned. */
  priceHistoryDropsCount: 60,
  /** How long a drop's page may go on with the lowest price beside its own: it moves by days, and at a first fall. */
  lowestBeforeTtlMs: 5 * SECOND,
  /**
   * Groups of buyers, all held by each process and looked at for each line; prices of one group, which a body bounds
   * before this does; groups that one buyer is in.
   */
  groupsCount: 50,
  groupPricesCount: 500,
  groupsPerBuyerCount: 10,
  /** Names in a customer's token: an identity provider may list its own groups there, before those that the shop knows. */
  groupsInTokenCount: 200,
  /** How long a process may go on with groups, and with a buyer's, that another has changed; a quote is good for longer. */
  groupCacheTtlMs: 2 * SECOND,
  groupMembersCacheCount: 10_000,
  /** Every country, and the states of one or two. */
  ownTaxRegionsCount: 400,
  /** A dozen currencies, each into each. */
  exchangeRatesCount: 200,
  /** How long estimates may go on with rates that another process has changed. */
  exchangeRateCacheTtlMs: 2 * SECOND,
  /** A rate is renewed monthly by the laziest shop; an older one was forgotten. */
  exchangeRateAgeMs: 35 * 24 * HOUR,
  /** Quantity tiers of one variant: five steps in each of a dozen currencies. */
  variantTiersCount: 60,
  /** A title inside a sealed quote, in bytes of JSON: twenty lines of the longest must fit sealedTextChars. */
  quoteTitleBytes: 100,

  // --- the control room -------------------------------------------------------------------------------
  /** Records in one call of an import; a body's size binds before it where they are large. */
  importRecordsCount: 200,
  /** Findings kept of a check of the books; beyond them only their number is. Who has more has one cause for them. */
  findingsKeptCount: 500,
  /** Documents that a check reads before it lets the worker's other work have its turn: some milliseconds of it. */
  findingsPaceCount: 200,
  /** A check says that it lives this often; one that has not been heard of for so long has died, or nobody took it. */
  findingsTellMs: 1 * SECOND,
  findingsAliveMs: 30 * SECOND,
  /** A check that takes longer is given up: the command does it without a bound. */
  findingsRunMs: 15 * MINUTE,

  // --- coupons ----------------------------------------------------------------------------------------
  /** Of one coupon; each use is some 100 bytes of Redis. */
  couponUsesCount: 1_000_000,
  couponSkusCount: 500,
  /**
   * A use that is in somebody's way is looked at this long after it was taken, whether its hold still lives: longer than
   * the placing of a hold takes, short beside the hold itself.
   */
  couponLookMs: 30 * SECOND,
  /** Uses that one refused taker looks at: each is a read of Redis and of MongoDB. */
  couponOverdueCount: 50,
  /** Uses in one script, while they are brought back. */
  couponRestoreCount: 500,
  /** How long a process may go on with a coupon that another has disabled. */
  couponCacheTtlMs: 2 * SECOND,
  couponCacheCount: 1_000,

  // --- catalog and search -----------------------------------------------------------------------------
  /** Products remembered in each process, some 2 KiB each. */
  productCacheCount: 10_000,
  /** Changes are announced; this bounds how long a lost announcement shows an old product. */
  productCacheTtlMs: 30 * SECOND,
  /** In Redis, for all processes: as long as in each, so that a change that nobody heard of is shown no longer than that. */
  sharedProductTtlMs: 30 * SECOND,
  /** Some fifty times what Redis takes: a Redis that is slower than MongoDB is of no use. */
  sharedProductWaitMs: 50,
  /** After a failure that Redis is left alone for this long. */
  sharedProductPauseMs: 1 * SECOND,
  /** Longer than a read of MongoDB takes; who dies in the middle of one keeps others from remembering it for as long. */
  sharedLeaseMs: 3 * SECOND,
  /** Whoever meets a lease looks this often for what its owner reads, and for this long, before reading it too. */
  sharedLeaseLookMs: 5,
  sharedLeaseWaitMs: 250,
  /** A cache in front of the engine answers a crowd for this long: less than a change takes to be searchable. */
  publicCacheSec: 1,
  /** One import request to the search service; a product is 1 to 10 KiB. */
  indexBatchCount: 200,
  /** The outbox is looked at this often even if no job came: a change is searchable within 2 s. */
  indexPollMs: 500,
  /**
   * Longer than the import requests of a batch may take, one for each collection: an indexer that lives never loses its
   * claim. What one that was killed had claimed waits for as long.
   */
  indexClaimMs: 12 * SECOND,
  indexTimeoutMs: 5 * SECOND,
  /** The stock of running drops is looked at this often for the index: a SKU is indexed no more often than that. */
  indexStockMs: 500,
  /** A browser asks for another key a few times a day; one that leaked is of little use for long. */
  searchKeyTtlMs: 6 * HOUR,
  /** What the search service refused is refused again until the product or the service changes. */
  indexRefusedMs: 1 * MINUTE,
  /** Changes of one moment make one job. */
  indexHintMs: 50,
  /** Products copied under one claim: a change of one of them waits for as long as that takes, some 100 ms. */
  reindexBatchCount: 250,
  /** An indexer is done with its batch within this, mostly. */
  reindexBusyMs: 50,
  /** A reindex that was killed can be taken up after this; one that lives renews it three times meanwhile. */
  reindexLeaseMs: 15 * SECOND,
  /** What differs between index and catalog is looked at this often, so far apart, before it is called a difference. */
  compareLooksCount: 5,
  compareAgainMs: 500,
  /** Rules of synonyms, each looked at for each product that is indexed: all of them take some 200 µs. */
  synonymRulesCount: 500,
  synonymTermsCount: 20,
  /** Searches with results of the shop's own choice, all held in memory by each process. */
  pinRulesCount: 500,
  /** Typesense puts at most so many where they are asked for. */
  pinnedCount: 50,
  /** What the shop chose is read again after this: a change of it is seen within 2 s, with what is remembered of answers. */
  pinsTtlMs: 1 * SECOND,
  searchTextChars: 200,
  searchPerPage: { default: 20, max: 100 },
  /** Typesense's own work grows with the page's number; nobody reads the thousandth product. */
  searchDepthCount: 2_000,
  searchFilterValuesCount: 50,
  searchTimeoutMs: 2 * SECOND,
  /** After a failure the next searches are answered without it for this long, so that nobody waits in its line. */
  searchPauseMs: 1 * SECOND,
  /** Identical searches within this are answered from memory: less than a change takes to be searchable. */
  searchCacheTtlMs: 1 * SECOND,
  searchCacheCount: 500,
  /** Of each kind, and in all: what is seen on a telephone between the box and the keyboard. Products fill what is left. */
  suggestionsCount: { query: 2, brand: 2, category: 2, all: 8 },
  /** Titles that a query is completed from: enough that what several have in common shows. */
  suggestTitlesCount: 30,

  // --- the money path ---------------------------------------------------------------------------------
  /** Stripe's own tolerance for the age of a signature. */
  webhookToleranceMs: 300 * SECOND,
  webhookBodyBytes: 256 * KIB,
  /** Stripe prunes idempotency keys after 24 h: after 23 nothing is created blindly under an old one. */
  blindCreateMs: 23 * HOUR,
  stripeTimeoutMs: 10 * SECOND,
  stripeRetriesCount: 2,
  /** Two processes that make the same payment at once: the second asks again this often for the first one's answer. */
  keyInUseRetryMs: 200,
  /** A request waits this long for its turn at Stripe; one that would wait longer is put off, and nobody is kept hanging. */
  stripeTurnWaitMs: 1 * SECOND,
  /** Told "too many" by Stripe itself, which does not say for how long: its windows are a second. */
  stripeBusyPauseMs: 1 * SECOND,
  /** What was put off comes back within this of its turn, spread out. */
  stripePutOffSpreadMs: 2 * SECOND,
  relayTickMs: 500,
  relayBatchCount: 200,
  /** A step that failed is tried again after this, doubling up to the cap. */
  stepRetryMs: { first: 500, max: 60 * SECOND },
  /** Whoever took an order one step further goes on by itself; if it has died, another does so after this. */
  stepLeaseMs: 5 * SECOND,
  /** Due for this long, a step is run by the relay itself: its job is lost, or stuck with a worker that was killed. */
  stepOverdueMs: 8 * SECOND,
  /** Jobs of each kind at once in a worker: they wait for Stripe and MongoDB, not for the processor. */
  jobsConcurrencyCount: 32,
  /** A payment is looked at this often while its order waits for news: one whose webhook is lost is found within 10 min. */
  paymentLookMs: 5 * MINUTE,
  // --- the sweeps over Stripe -------------------------------------------------------------------------
  /** Every worker asks whether a sweep is due; a pass that one run did not finish goes on this soon. */
  sweepTickMs: 15 * SECOND,
  /** A pass begins this often: what never arrived is found within minutes, and a quiet shop costs two requests. */
  sweepEveryMs: 2 * MINUTE,
  /** Ten thousand objects in a run: at Stripe's 25 a second, four seconds of one kind of request. */
  sweepPagesCount: 100,
  /** Longer than a page may take, with all of the library's repetitions. */
  sweepLeaseMs: 60 * SECOND,
  /** An event shows in the list a little after the second that it names. */
  sweepOverlapMs: 10 * MINUTE,
  /** The first pass of an installation, or of one that lost its progress: as long as Stripe itself tries a webhook. */
  sweepEventsBackMs: 72 * HOUR,
  /** Longer than any payment window and than the backup of an hour ago; later refunds and disputes are told by events. */
  sweepPaymentsBackMs: 24 * HOUR,
  /** A delayed payment is looked at this often once its window is over: its end is told by an event, which may get lost. */
  processingLookMs: 10 * MINUTE,
  /** A payment confirmed in the window's last moment is given this long to arrive before the order is closed. */
  payGraceMs: 2 * SECOND,
  /** Tries at Stripe's creating call while closing; without an answer nobody has the secret, so nobody can have paid. */
  unknownPaymentTriesCount: 10,
  /** A claim by a process that was stopped before the order ended, and went on after, is released by a second look. */
  releaseAgainMs: 60 * SECOND,
  /** A refund's call is repeated under its key for this long; no request to Stripe lives longer, so a look tells then. */
  refundLookMs: 60 * SECOND,
  /** Declined attempts on one payment: an honest buyer tries two or three cards, card testing tries hundreds. */
  declinesCount: 10,

  // --- shutdown ---------------------------------------------------------------------------------------
  /** Orchestrators kill after 30 s. */
  shutdownMs: 25 * SECOND,
  /** Load balancers need to see readiness fail before the listener closes. */
  drainMs: 500,
} as const;

/** The bounds as a capability takes them that a test gives smaller ones. */
export type Limits = {
  readonly [Name in keyof typeof limits]: (typeof limits)[Name] extends number
    ? number
    : (typeof limits)[Name];
};

/** Relations that the engine leans on; a change that breaks one stops the process at start, with its reason. */
export function assertLimits(): void {
  assert(
    limits.callWindowMs.default >= 2 * limits.reconnectSpreadMs,
    'a call must outlast a reconnection: callWindowMs ≥ 2 × reconnectSpreadMs',
  );
  assert(limits.sealedTextChars <= limits.socketMessageBytes, 'a sealed quote must fit in a socket message');
  // A line is its title, a SKU of 64, and some 140 of names and figures; base64url makes 4 characters of 3 bytes.
  assert(
    ((limits.cartLinesCount * (limits.quoteTitleBytes + 64 + 260) + 1_200) * 4) / 3 < limits.sealedTextChars,
    'the largest quote must fit a sealed text',
  );
  assert(limits.socketMessageBytes <= limits.httpBodyBytes, 'what fits a socket message fits a body');
  assert(
    limits.socketBehindBytes < limits.socketBufferedBytes,
    'a slow reader skips ticks before it is closed for reading slowly',
  );
  assert(limits.socketPongWaitMs < limits.socketPingMs, 'a pong is waited for before the next ping');
  assert(3 * limits.rebuildKeepMs < limits.rebuildLeaseMs, 'a rebuild that goes on must keep its lease');
  assert(limits.conductorTickMs <= limits.watchTickMs, 'ticks must not be staler than the conductor');
  assert(limits.passTtlMs.default > limits.callWindowMs.default, 'a pass must outlast its call');
  assert(limits.quoteTtlMs > limits.holdTtlMs.default, 'a quote must outlast a hold placed under it');
  assert(
    limits.endedHoldTtlMs > limits.blindCreateMs,
    'a replayed hold must be known as long as its payment',
  );
  assert(limits.sharedLeaseWaitMs < limits.sharedLeaseMs, 'a lease must outlast those who wait for it');
  assert(
    limits.sharedProductTtlMs <= limits.productCacheTtlMs,
    'what all processes remember must not outlive what each does',
  );
  assert(
    limits.repricingsCount < limits.repricingMarksCount,
    'a product must remember every repricing that is under way',
  );
  assert(2 * limits.indexTimeoutMs < limits.indexClaimMs, 'an indexer must not outlive its claim');
  assert(
    limits.indexHintMs + limits.indexPollMs + limits.searchCacheTtlMs < 2 * SECOND,
    'a change must be searchable within 2 s, even if its job was lost and its search remembered',
  );
  assert(
    (limits.compareLooksCount - 1) * limits.compareAgainMs >= 2 * SECOND,
    'what is on its way to the index must have the time to arrive before it counts as a difference',
  );
  assert(2 * limits.findingsTellMs < limits.findingsAliveMs, 'a check that goes on must not count as dead');
  assert(limits.drainMs < limits.shutdownMs, 'draining is a part of the shutdown');
  assert(
    limits.stripeTimeoutMs * (limits.stripeRetriesCount + 1) < limits.refundLookMs,
    'a refund is looked for once no request of it can still be under way',
  );
  assert(
    2 * limits.stripeTurnWaitMs < limits.stepLeaseMs,
    'a step that waits for its turn at Stripe must not look as if it had died',
  );
  assert(
    limits.stripeTimeoutMs * (limits.stripeRetriesCount + 1) < limits.sweepLeaseMs,
    'a sweep that waits for a page must keep its lease',
  );
  assert(
    limits.sweepEveryMs + limits.sweepTickMs + limits.sweepLeaseMs < 10 * MINUTE,
    'what never arrived must be found within ten minutes, also where a worker died over its sweep',
  );
  assert(limits.stepLeaseMs < limits.stepOverdueMs, 'a lease must end before its step counts as overdue');
}

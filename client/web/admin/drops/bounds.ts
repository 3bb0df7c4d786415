// What the form knows of the server's bounds, so that it can explain them before anything is sent. The server's own
// (server/limits.ts) are what counts; test/unit/control-room.test.ts holds these against them.
export const bounds = {
  dropUnitsCount: 200_000,
  perBuyerMaxCount: 100,
  ratePerSecMax: 10_000,
  activeMaxCount: 100_000,
  /** In seconds, as the form asks for them. */
  callWindowSec: { min: 1, default: 20, max: 600 },
  passTtlSec: { min: 5, default: 300, max: 3_600 },
  holdTtlSec: { min: 1, default: 180, max: 3_600 },
  paymentWindowSec: { min: 5, default: 600, max: 3_600 },
  priceStepSec: { min: 1, max: 2_592_000 },
  exchangeRateAgeDays: 35,
  lineQuantityCount: 100,
  couponUsesCount: 1_000_000,
  /** A body is 64 KiB: an import's part stays well below. */
  importRecordsCount: 200,
  importPartBytes: 48 * 1024,
} as const;

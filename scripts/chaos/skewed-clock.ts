// Loaded before a server's own code (`--import`): its system clock is ten minutes ahead, and steps to ten minutes behind
// when it is told to (SIGUSR2). The monotonic timers go on as they do when a real clock steps.
const skewMs = 10 * 60_000;
let aheadMs = skewMs;
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) =>
    args.length === 0 ? new target(RealDate.now() + aheadMs) : Reflect.construct(target, args),
  get: (target, name) => (name === 'now' ? () => RealDate.now() + aheadMs : Reflect.get(target, name)),
});
process.on('SIGUSR2', () => {
  aheadMs = -skewMs;
});

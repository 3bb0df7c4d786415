// How a server of `bench/servers` begins and ends: `--port N`, one ready line, and gone with its parent.
import type { Server } from 'node:http';
import { parseArgs } from 'node:util';

export function serve(server: Server): void {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '0' }, parent: { type: 'boolean', default: false } },
  });
  server.listen(Number(values.port), '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
  });
  const end = () => process.exit(0);
  process.on('SIGTERM', end).on('SIGINT', end);
  if (values.parent) process.stdin.resume().on('end', end).on('error', end);
}

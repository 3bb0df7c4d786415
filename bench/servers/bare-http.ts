// The reference: node:http itself, which reads the body to its end and answers bytes that it was given.
import { createServer } from 'node:http';
import { z } from 'zod';
import { serve } from '../support/serve.ts';

const answer = z
  .object({ headers: z.record(z.string(), z.string()), body: z.string() })
  .parse(JSON.parse(process.env['BENCH_ANSWER'] ?? ''));

serve(
  createServer((req, res) => {
    req.on('data', () => {});
    req.on('end', () => {
      res.writeHead(200, answer.headers);
      res.end(answer.body);
    });
  }),
);

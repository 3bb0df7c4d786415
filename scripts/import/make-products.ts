// Made-up products as JSON Lines, to measure an import with, always the same for the same count.
// node_modules/.bin/node scripts/import/make-products.ts COUNT FILE
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

function* lines(count: number): Generator<string> {
  for (let index = 0; index < count; index += 1) {
    const product = {
      id: `made-${index}`,
      name: `Made product ${index} of a long series`,
      description: `${'A sentence about it, as shops have many. '.repeat(8)}Number ${index}.`,
      brand: `Brand ${index % 97}`,
      categories: [`Category ${index % 31}`, `Kind ${index % 7}`],
      price: (((index * 37) % 90_000) + 99) / 100,
      image: `https://images.example/${index}.jpg`,
      popularity: index % 1000,
    };
    yield `${JSON.stringify(product)}\n`;
  }
}

export async function makeProducts(count: number, file: string): Promise<void> {
  await pipeline(Readable.from(lines(count)), createWriteStream(file));
}

if (import.meta.main) {
  const [count, file, ...more] = process.argv.slice(2);
  if (count === undefined || !/^[1-9]\d{0,7}$/.test(count) || file === undefined || more.length > 0) {
    process.stderr.write('make-products COUNT FILE: COUNT products as JSON Lines\n');
    process.exitCode = 1;
  } else await makeProducts(Number(count), file);
}

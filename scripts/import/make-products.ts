// Made-up products as JSON Lines, to measure an import with, always the same for the same count.
// node_modules/.bin/node scripts/import/make-products.ts COUNT FILE
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What the record of this number must be refused for; null where it is a product as it should be. */
export type FaultOf = (index: number) => 'price' | 'name' | null;

function* lines(count: number, faultOf: FaultOf): Generator<string> {
  for (let index = 0; index < count; index += 1) {
    const fault = faultOf(index);
    const product = {
      id: `made-${index}`,
      name: fault === 'name' ? '' : `Made product ${index} of a long series`,
      description: `${'A sentence about it, as shops have many. '.repeat(8)}Number ${index}.`,
      brand: `Brand ${index % 97}`,
      categories: [`Category ${index % 31}`, `Kind ${index % 7}`],
      price: fault === 'price' ? -1 : (((index * 37) % 90_000) + 99) / 100,
      image: `https://images.example/${index}.jpg`,
      popularity: index % 1000,
    };
    yield `${JSON.stringify(product)}\n`;
  }
}

export async function makeProducts(
  count: number,
  file: string,
  faultOf: FaultOf = () => null,
): Promise<void> {
  await pipeline(Readable.from(lines(count, faultOf)), createWriteStream(file));
}

if (import.meta.main) {
  const [count, file, ...more] = process.argv.slice(2);
  if (count === undefined || !/^[1-9]\d{0,7}$/.test(count) || file === undefined || more.length > 0) {
    process.stderr.write('make-products COUNT FILE: COUNT products as JSON Lines\n');
    process.exitCode = 1;
  } else await makeProducts(Number(count), file);
}

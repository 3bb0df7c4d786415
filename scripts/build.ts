// `npm run build`: the web pages, with the size of what a visitor loads, and the client package.
import path from 'node:path';
import { buildClientPackage } from './build/client-package.ts';
import { buildPages } from './build/pages.ts';

const startedMs = performance.now();
const files = await buildPages();
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
for (const { name, bytes, gzipBytes } of files) {
  process.stdout.write(
    `${name.padEnd(44)} ${kib(bytes).padStart(11)}  gzip ${kib(gzipBytes).padStart(10)}\n`,
  );
}
const scripts = files.filter(file => file.name.endsWith('.js'));
const scriptsGzipBytes = scripts.reduce((sum, file) => sum + file.gzipBytes, 0);
const tookSec = ((performance.now() - startedMs) / 1000).toFixed(1);
process.stdout.write(
  `\nThe pages are in client/web/dist (${tookSec} s). Scripts, gzipped: ${kib(scriptsGzipBytes)}\n`,
);

const { folder, files: packaged } = await buildClientPackage();
process.stdout.write(
  `The client package is in ${path.relative(process.cwd(), folder)} (${packaged.length} files)\n`,
);

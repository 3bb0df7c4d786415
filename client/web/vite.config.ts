import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Whoever builds gives the folder to write to (scripts/build/pages.ts), so that a half-written build is never served.
// Two pages: the shop's, for buyers, and the control room's; what they share becomes files that both load.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // What the browser's Content-Security-Policy forbids must not be made: no inlined scripts, no inlined files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Says which files a page loads at first; the bound on the drop page's is held against it.
    manifest: true,
    rolldownOptions: {
      input: {
        index: path.join(import.meta.dirname, 'index.html'),
        admin: path.join(import.meta.dirname, 'admin.html'),
      },
    },
  },
});

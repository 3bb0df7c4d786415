import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Whoever builds gives the folder to write to (scripts/build/pages.ts), so that a half-written build is never served.
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
  },
});

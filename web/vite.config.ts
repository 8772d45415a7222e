import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` shows a console that runs elsewhere: CONSOLE=http://127.0.0.1:8460 npm run dev
const console = process.env.CONSOLE ?? "http://127.0.0.1:8460";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/mallee/console/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows no data: addresses
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 200,
  },
  server: {
    proxy: {
      "/api": { target: console, changeOrigin: true },
      "/ws": { target: console, changeOrigin: true, ws: true },
    },
  },
});

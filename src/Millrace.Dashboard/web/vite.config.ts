import { defineConfig } from "vite";

// Every address is relative to the shell's <base>, so the built files work under any mount. Nothing is inlined: the policy
// the server sends allows neither inline script nor data addresses.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});

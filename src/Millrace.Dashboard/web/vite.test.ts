import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The unit tests are bundled and run by Node's own runner: one tool less to install.
const tests = readdirSync(fileURLToPath(new URL("test", import.meta.url))).filter(name => name.endsWith(".test.ts"));

export default defineConfig({
  build: {
    ssr: true,
    target: "node20",
    outDir: "node_modules/.tests",
    rollupOptions: { input: Object.fromEntries(tests.map(name => [name.replace(/\.ts$/, ""), `test/${name}`])) },
  },
});

// Fails when the application has grown too heavy. The first load is what index.html names; the rest comes when it is needed.
import { readdirSync, readFileSync, statSync } from "node:fs";

const firstLimit = 90 * 1024, allLimit = 250 * 1024, packageLimit = 6;
const dist = new URL("../dist/", import.meta.url);
const shell = readFileSync(new URL("index.html", dist), "utf8");
const assets = readdirSync(new URL("assets/", dist)).filter(n => n.endsWith(".br")).map(n => ({ name: n.slice(0, -3), size: statSync(new URL(`assets/${n}`, dist)).size }));
const first = assets.filter(a => shell.includes(a.name)).reduce((sum, a) => sum + a.size, Buffer.byteLength(shell));
const all = assets.reduce((sum, a) => sum + a.size, Buffer.byteLength(shell));
const packages = Object.keys(JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).dependencies).length;

const kb = bytes => `${(bytes / 1024).toFixed(1)} KB`;
for (const { name, size } of assets) console.log(`${name.padEnd(28)} ${kb(size)}`);
console.log(`first load ${kb(first)} of ${kb(firstLimit)}, all ${kb(all)} of ${kb(allLimit)}, ${packages} of ${packageLimit} packages`);
if (first > firstLimit || all > allLimit || packages > packageLimit) {
  console.error("Too heavy.");
  process.exit(1);
}

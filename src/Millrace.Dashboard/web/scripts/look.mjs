// Looks at every page of a running application: pictures in both themes and two widths, what axe finds, and what the console says.
//   node scripts/look.mjs [address] [folder]
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const address = process.argv[2] ?? "http://127.0.0.1:5199/jobs/";
const folder = process.argv[3] ?? "../../../artifacts/look";
const only = process.argv[4];
const widths = (process.argv[5] ?? "1280,400").split(",").map(Number);
mkdirSync(folder, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const api = async path => (await fetch(new URL(`api/v1/${path}`, address))).json();
const failed = (await api("jobs?q=state:failed&limit=4")).jobs;
const pages = {
  overview: "", jobs: "jobs", pane: "jobs?q=state:failed&pane=1", job: `jobs/${failed.at(-1)?.id}`, hostile: `jobs/${failed[1]?.id}?tab=data`, logs: `jobs/${failed.at(-1)?.id}?tab=logs`,
  failures: "failures", queues: "queues", queue: "queues/index", schedules: "schedules", schedule: "schedules/nightly", workers: "workers", types: "types", type: "types/sendReceipt", activity: "activity", system: "system",
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
let problems = 0;
for (const theme of ["light", "dark"]) {
  for (const width of widths) {
    const context = await browser.newContext({ viewport: { width, height: width === 400 ? 800 : 860 }, colorScheme: theme, bypassCSP: false });
    const page = await context.newPage();
    page.on("console", message => { if (["error", "warning"].includes(message.type())) { problems++; console.log(`${theme} ${width} console: ${message.text()}`); } });
    page.on("pageerror", error => { problems++; console.log(`${theme} ${width} page error: ${error.stack}`); });
    for (const [name, path] of Object.entries(pages)) {
      if (only && !only.split(",").includes(name)) continue;
      await page.goto(new URL(path, address).href);
      await page.waitForSelector("h1");
      await page.waitForTimeout(700);
      await page.screenshot({ path: `${folder}/${name}-${theme}-${width}.png`, fullPage: name !== "pane" && width !== 400 });
      // Evaluated by the debugger, which the page's policy does not bind.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const v of violations) {
        problems++;
        console.log(`${name} ${theme} ${width}: ${v.id} (${v.impact}) ${v.help}`);
        for (const node of v.nodes.slice(0, 3)) console.log(`    ${node.target.join(" ")}  ${node.failureSummary?.split("\n")[1] ?? ""}`);
      }
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (overflow > 0) { problems++; console.log(`${name} ${theme} ${width}: ${overflow} px too wide`); }
    }
    await context.close();
  }
}
await browser.close();
console.log(problems === 0 ? "Nothing to complain about." : `${problems} problems.`);
process.exitCode = problems === 0 ? 0 : 1;

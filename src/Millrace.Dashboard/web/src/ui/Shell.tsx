import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { isSignedOut } from "../api/client.ts";
import { isPaused, mode, now } from "../api/live.ts";
import { outage, refreshAll } from "../api/query.ts";
import { boot } from "../boot.ts";
import { absolute } from "../pure/time.ts";
import { go, segments } from "../router.ts";
import { useKeys } from "../state/keys.ts";
import { failed, me } from "../state/me.ts";
import { nextTheme, theme, zone } from "../state/settings.ts";
import { explain } from "../state/toasts.ts";
import { t } from "../text.ts";
import { openHelp } from "./Help.tsx";
import { Icon } from "./Icon.tsx";
import { openPalette } from "./Palette.tsx";
import { Button, IconButton } from "./Parts.tsx";
import { Text } from "./Words.tsx";

const pages = ["overview", "jobs", "failures", "queues", "schedules", "workers", "types", "activity", "system"] as const;
const letters = { overview: "o", jobs: "j", failures: "f", queues: "q", schedules: "s", workers: "w", types: "t", activity: "a", system: "y" } as const;
// What fits into the bar at the bottom of a phone; the rest is behind "more".
const first = pages.slice(0, 4), rest = pages.slice(4);

function addressOf(page: (typeof pages)[number]): string {
  return page === "overview" ? "./" : page;
}

export function Shell({ children }: { children: ComponentChildren }) {
  useKeys({
    "mod+k": openPalette, "?": openHelp, t: nextTheme, ".": togglePause,
    ...Object.fromEntries(pages.map(page => [`g ${letters[page]}`, () => go(addressOf(page))])),
  });
  const main = useRef<HTMLElement>(null);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>{t.shell.skip}</button>
      <Top />
      <Rail />
      <main id="main" tabIndex={-1} ref={main}>
        <Banners />
        {children}
      </main>
    </>
  );
}

function togglePause(): void {
  isPaused.value = !isPaused.value;
}

function Top() {
  const who = me.value;
  const next = zone.value === "utc" ? "local" : "utc";
  const live = isSignedOut.value ? "off" : mode.value;
  return (
    <header class="top">
      <a href="./" class="brand"><svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><path d="M4 21c4 0 4-3.4 8-3.4s4 3.4 8 3.4 4-3.4 8-3.4M4 13.4c4 0 4-3.4 8-3.4s4 3.4 8 3.4 4-3.4 8-3.4" /></svg><Text value={boot.title} /></a>
      {who && <span class={`badge environment ${who.isProduction ? "production" : ""}`}><Text value={who.environment} /></span>}
      {who?.isReadOnly && <span class="badge">{t.shell.readOnly}</span>}
      <button type="button" class="button search" onClick={openPalette}><Icon name="search" /><span class="search-word">{t.shell.search}</span><kbd class="wide-only" aria-hidden="true">⌘K</kbd></button>
      <span class="spring" />
      <button type="button" class={`button quiet live m-${live}`} onClick={togglePause} aria-pressed={isPaused.value} title={t.shell.modeHint[live]} disabled={live === "off"}><i aria-hidden="true" />{t.shell.mode[live]}</button>
      <button type="button" class="button quiet" onClick={() => { zone.value = next; }} title={t.shell.zone[zone.value]} aria-label={t.shell.zone[zone.value]}>{t.shell.zoneWord[zone.value]}</button>
      <IconButton icon={theme.value === "auto" ? "auto" : theme.value === "dark" ? "moon" : "sun"} name={t.shell.theme[theme.value]} onClick={nextTheme} />
      <span class="wide-only"><IconButton icon="keys" name={t.shell.keys} onClick={openHelp} /></span>
      {who && <span class="who wide-only" title={t.shell.signedInAs(who.name)}><Text value={who.name} /></span>}
    </header>
  );
}

function Rail() {
  const here = segments.value[0] ?? "overview";
  const more = useRef<HTMLDetailsElement>(null);
  const item = (page: (typeof pages)[number]) => (
    <a key={page} href={addressOf(page)} aria-current={here === page ? "page" : undefined} title={t.pages[page]} onClick={() => { if (more.current) more.current.open = false; }}>
      <Icon name={page} /><span>{t.pages[page]}</span>{page === "failures" && failed.value > 0 && <i class="dot" />}
    </a>
  );
  const isRest = rest.some(page => page === here);
  return (
    <nav class="rail" aria-label={t.shell.nav}>
      <div class="rail-main">{first.map(item)}</div>
      <div class="rail-rest">{rest.map(item)}</div>
      <details class="rail-more" ref={more}><summary class={isRest ? "current" : ""}><Icon name="more" /><span>{t.pages.more}</span></summary><div class="layer">{rest.map(item)}</div></details>
    </nav>
  );
}

/** What is wrong with the connection. What was shown before stays below it. */
function Banners() {
  const away = outage.value;
  if (isSignedOut.value) {
    return <div class="banner" role="alert"><Icon name="warning" /><span><b>{t.outage.signedOut}</b> {t.outage.signedOutMore}</span><Button onClick={() => location.reload()}>{t.outage.signIn}</Button></div>;
  }
  if (!away) return null;
  const since = absolute(new Date(away.since).toISOString(), zone.value, now.value);
  return (
    <div class="banner" role="alert">
      <Icon name="error" />
      <span><b>{t.outage.since(since)}</b> <Text value={explain(away.error)} class="muted" /> {t.outage.kept(since)} {t.outage.retrying}</span>
      <Button onClick={refreshAll}>{t.shell.retryNow}</Button>
    </div>
  );
}


import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { apiUrl } from "../api/client.ts";
import { boot } from "../boot.ts";
import { curl } from "../pure/commands.ts";
import { failed } from "../state/me.ts";
import { t } from "../text.ts";
import { Icon } from "./Icon.tsx";
import { copyText } from "./Parts.tsx";
import { visible } from "../pure/visible.ts";

interface PageProps {
  title: string;
  heading?: ComponentChildren;
  aside?: ComponentChildren;
  /** What this view asks, and the same in the command line. */
  api?: string;
  cli?: string;
  /** What this view can be taken out as: its name and its address below the API. */
  files?: [string, string][];
  children: ComponentChildren;
  class?: string;
}

/** The frame of every page: its name in the tab, a heading, what to do with it, and how to get the same elsewhere. */
export function Page({ title, heading, aside, api, cli, files, children, class: extra }: PageProps) {
  const count = failed.value;
  useEffect(() => { document.title = `${count > 0 ? `(${count > 999 ? "999+" : count}) ` : ""}${visible(title)} · ${boot.title}`; }, [title, count]);
  return (
    <div class={`page ${extra ?? ""}`}>
      <header class="page-head">
        <h1>{heading ?? title}</h1>
        <div class="aside">{aside}{(api ?? cli) !== undefined && <CopyMenu api={api} cli={cli} files={files} />}</div>
      </header>
      {children}
    </div>
  );
}

export function CopyMenu({ api, cli, files }: Pick<PageProps, "api" | "cli" | "files">) {
  const ref = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const leave = (event: Event) => {
      const menu = ref.current;
      if (menu?.open && (event instanceof KeyboardEvent ? event.key === "Escape" : !menu.contains(event.target as Node))) menu.open = false;
    };
    addEventListener("click", leave);
    addEventListener("keydown", leave);
    return () => { removeEventListener("click", leave); removeEventListener("keydown", leave); };
  }, []);
  const item = (text: string, name: string) => (
    <button type="button" onClick={() => { void copyText(text); if (ref.current) ref.current.open = false; }}>{name}</button>
  );
  return (
    <details class="menu" ref={ref}>
      <summary class="button quiet"><Icon name="copy" />{files ? t.copy.menuWithFiles : t.copy.menu}</summary>
      <div class="layer">
        {item(location.href, t.copy.link)}
        {api !== undefined && item(curl(apiUrl(api).href), t.copy.curl)}
        {cli !== undefined && item(cli, t.copy.cli)}
        {files?.map(([name, address]) => <a key={address} href={apiUrl(address).href} download onClick={() => { if (ref.current) ref.current.open = false; }}>{name}</a>)}
      </div>
    </details>
  );
}

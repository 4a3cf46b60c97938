import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component whose code is fetched when it is first shown. Until then there is space for it. */
export function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, setReady] = useState(false);
    useEffect(() => {
      let isHere = true;
      // The names of files change with each version: after an update the old page's pieces may be gone.
      if (!Loaded) load().then(module => { Loaded = module.default; if (isHere) setReady(true); }, () => { if (isHere) reloadOnce(); });
      return () => { isHere = false; };
    }, []);
    return Loaded ? <Loaded {...props} /> : null;
  };
}

function reloadOnce(): void {
  const key = "millrace.reloaded";
  if (Date.now() - Number(sessionStorage.getItem(key) ?? 0) < 60_000) return;
  sessionStorage.setItem(key, String(Date.now()));
  location.reload();
}

/** Keeps the height while the piece inside is on its way. */
export function Suspense({ height, children }: { height: number; children: ComponentChildren }) {
  return <div style={{ minHeight: `${height}px` }}>{children}</div>;
}

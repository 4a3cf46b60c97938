import type { JSX } from "preact";

const shapes = {
  // Pages
  overview: <><path d="M2.5 13.5V9M6.2 13.5V4.5M9.9 13.5V7M13.5 13.5V2.5" /></>,
  jobs: <><path d="M5.5 4h8M5.5 8h8M5.5 12h8" /><path d="M2.5 4h.01M2.5 8h.01M2.5 12h.01" /></>,
  failures: <><path d="M8 2 14.2 13.2H1.8Z" /><path d="M8 6.4v3.2M8 11.4v.01" /></>,
  queues: <><rect x="2" y="2.7" width="12" height="3" rx="1" /><rect x="2" y="6.7" width="12" height="3" rx="1" /><path d="M3 12h10M4.5 14h7" /></>,
  schedules: <><rect x="2" y="3" width="12" height="11" rx="1.5" /><path d="M2 6.5h12M5 1.7V4M11 1.7V4M5 9.5h2M9.5 9.5h2" /></>,
  workers: <><rect x="4" y="4" width="8" height="8" rx="1.2" /><path d="M6.2 1.8V4M9.8 1.8V4M6.2 12v2.2M9.8 12v2.2M1.8 6.2H4M1.8 9.8H4M12 6.2h2.2M12 9.8h2.2" /></>,
  types: <><path d="M6 2.5C4 2.5 4.5 5 4.2 6.4 4 7.4 3.2 8 2.2 8c1 0 1.8.6 2 1.6.3 1.4-.2 3.9 1.8 3.9M10 2.5c2 0 1.5 2.5 1.8 3.9.2 1 1 1.6 2 1.6-1 0-1.8.6-2 1.6-.3 1.4.2 3.9-1.8 3.9" /></>,
  activity: <><path d="M1.5 8.5h3l2-5.5 3.2 10 2-4.5h2.8" /></>,
  system: <><circle cx="8" cy="8" r="2.2" /><path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M3.6 12.4 5 11M11 5l1.4-1.4" /></>,
  more: <><path d="M3.5 8h.01M8 8h.01M12.5 8h.01" /></>,
  // States
  ready: <circle cx="8" cy="8" r="5.2" />,
  scheduled: <><circle cx="8" cy="8" r="5.7" /><path d="M8 4.8V8l2.2 1.6" /></>,
  retrying: <><path d="M3 9.5V8a3.5 3.5 0 0 1 3.5-3.5h6" /><path d="m10 2 2.7 2.5L10 7" /><path d="M3 13h.01" /></>,
  waiting: <><rect x="3" y="7" width="10" height="6.5" rx="1.2" /><path d="M5.2 7V5.2a2.8 2.8 0 0 1 5.6 0V7" /></>,
  quarantined: <><path d="M5.4 2h5.2L14 5.4v5.2L10.6 14H5.4L2 10.6V5.4Z" /><path d="M8 5v3.6M8 11v.01" /></>,
  running: <><circle cx="8" cy="8" r="5.2" /><path class="fill" d="M8 2.8a5.2 5.2 0 0 1 0 10.4Z" /></>,
  succeeded: <path d="m2.8 8.6 3.4 3.4 7-7.6" />,
  failed: <><rect x="2.5" y="2.5" width="11" height="11" rx="1.5" /><path d="m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8" /></>,
  cancelled: <><circle cx="8" cy="8" r="5.5" /><path d="m4.2 11.8 7.6-7.6" /></>,
  // Things to do
  search: <><circle cx="7" cy="7" r="4.5" /><path d="m10.4 10.4 3.3 3.3" /></>,
  copy: <><rect x="5.5" y="5.5" width="8" height="8" rx="1.2" /><path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" /></>,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" />,
  play: <path d="M5 3.2v9.6L12.8 8Z" />,
  retry: <><path d="M13 8a5 5 0 1 1-1.6-3.7" /><path d="M13.2 1.8v3h-3" /></>,
  undo: <><path d="M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7" /><path d="M5.8 3.5 3 6.5l2.8 3" /></>,
  trash: <><path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9" /></>,
  edit: <path d="m2.5 13.5.8-3.2 7.6-7.6 2.4 2.4-7.6 7.6Z" />,
  priority: <path d="M8 13.5v-11M4 6.5l4-4 4 4" />,
  drain: <path d="M8 2.5v11M4 9.5l4 4 4-4" />,
  sun: <><circle cx="8" cy="8" r="2.8" /><path d="M8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1" /></>,
  moon: <path d="M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6Z" />,
  auto: <><circle cx="8" cy="8" r="5.5" /><path class="fill" d="M8 2.5a5.5 5.5 0 0 1 0 11Z" /></>,
  keys: <><rect x="1.5" y="4" width="13" height="8.5" rx="1.4" /><path d="M4.2 7h.01M6.7 7h.01M9.2 7h.01M11.7 7h.01M5 10h6" /></>,
  star: <path d="m8 2 1.8 3.8 4.2.6-3 2.9.7 4.2L8 11.5l-3.7 2 .7-4.2-3-2.9 4.2-.6Z" />,
  next: <path d="m6 3.5 4.5 4.5L6 12.5" />,
  tick: <path d="m2.8 8.6 3.4 3.4 7-7.6" />,
  notice: <><circle cx="8" cy="8" r="5.7" /><path d="M8 7.3v3.6M8 5v.01" /></>,
  warning: <><path d="M8 2 14.2 13.2H1.8Z" /><path d="M8 6.4v3.2M8 11.4v.01" /></>,
  error: <><rect x="2.5" y="2.5" width="11" height="11" rx="1.5" /><path d="m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8" /></>,
  link: <><path d="M6.5 9.5 9.5 6.5M7 4.5l1.3-1.3a3 3 0 0 1 4.3 4.3L11.5 9M9 11.5l-1.3 1.3a3 3 0 0 1-4.3-4.3L4.5 7" /></>,
} satisfies Record<string, JSX.Element>;

export type IconName = keyof typeof shapes;

/** A drawing beside a word; it says nothing to a screen reader, so the word must be there. */
export function Icon({ name, class: extra }: { name: IconName; class?: string }) {
  return <svg class={`icon ${extra ?? ""}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">{shapes[name]}</svg>;
}

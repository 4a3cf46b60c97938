const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 12,408. */
export function count(value: number): string {
  return whole.format(value);
}

/** 12,408, or 100,000+ where counting stopped. */
export function capped(value: number, cap: number | undefined): string {
  return cap !== undefined && value >= cap ? `${count(cap)}+` : count(value);
}

/** 12.4K, for axes and narrow places. */
export function short(value: number): string {
  return compact.format(value);
}

/** 0.4, 12, 1,842: one decimal only where it tells something. */
export function rate(value: number): string {
  return value > 0 && value < 10 ? one.format(value) : whole.format(value);
}

/** 0.4 %, 22 %, 100 %; a tiny part of many is never called 0 %. */
export function percent(part: number, total: number): string {
  if (total <= 0) return "–";
  const value = (part / total) * 100;
  if (part > 0 && value < 0.1) return "<0.1 %";
  if (part < total && value > 99.9) return ">99.9 %";
  return `${value < 10 ? one.format(value) : whole.format(value)} %`;
}

/** 2 %, 140 %: a share of one, which may be more. */
export function share(value: number): string {
  return `${value > 0 && value < 0.01 ? "<1" : whole.format(value * 100)} %`;
}

/** 812 KB, 287 MB, 1.5 GB: bytes in thousands. */
export function size(bytes: number): string {
  const step = bytes < 1e6 ? 1e3 : bytes < 1e9 ? 1e6 : 1e9;
  return `${rate(bytes / step)} ${step === 1e3 ? "KB" : step === 1e6 ? "MB" : "GB"}`;
}

/** One thing, two things. */
export function plural(value: number, singular: string, several = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : several}`;
}

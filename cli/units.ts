/**
 * Sizes, times and modes, as they are written in arguments and shown.
 *
 * Each function that reads one gives undefined for what it is not.
 *
 * @module
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `4096`, `0x1000`, `64K` or `64KiB` (1024), `64KB` (1000), `1.5G`; up to P. */
export function parseSize(text: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(text)) return safe(Number(text));
  const parsed = /^(\d+(?:\.\d+)?)([KMGTP])?(i?B)?$/i.exec(text);
  if (parsed === null) return undefined;
  const [, digits, letter = "", suffix = ""] = parsed as unknown as [
    string,
    string,
    string?,
    string?,
  ];
  if (letter === "" && (suffix.toLowerCase() === "ib" || digits.includes("."))) return undefined;
  const base = suffix.toLowerCase() === "b" ? 1000 : 1024;
  const exponent = letter === "" ? 0 : "KMGTP".indexOf(letter.toUpperCase()) + 1;
  return safe(Number(digits) * base ** exponent);
}

const safe = (value: number) => Number.isSafeInteger(value) ? value : undefined;

/** A size as people read it, `4.0 MiB`, or as it is. */
export function formatSize(bytes: number, exact: boolean = false): string {
  if (exact) return String(bytes);
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

const SECOND = 1000;
const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86400 * SECOND,
};

/** `500ms`, `2s`, `10m`, `1.5h`, `1d`; a bare number is seconds. @returns Milliseconds. */
export function parseDuration(text: string): number | undefined {
  const parsed = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (parsed === null) return undefined;
  const milliseconds = Number(parsed[1]) * (DURATIONS[parsed[2] ?? "s"] as number);
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}

/** How long ago it was, in one unit: `12s`, `3h`, `41d`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND));
  if (seconds < 100) return `${seconds}s`;
  if (seconds < 100 * 60) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 100 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

/** A moment in local time, to the second: `2026-11-21 08:50:07 +0100`. */
export function formatTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}` +
    two(Math.abs(offset) % 60);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

/** Permission bits in octal: `600`, `0600`, `0o600`. */
export function parseMode(text: string): number | undefined {
  return /^(0o?)?[0-7]{1,3}$/.test(text) ? Number.parseInt(text.replace(/^0o/, ""), 8) : undefined;
}

/** Permission bits as `ls -l` has them, without the type: `rw-------`. */
export function formatMode(mode: number): string {
  return [6, 3, 0].map((shift) => {
    const bits = mode >> shift;
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}`;
  }).join("");
}

/** Permission bits in octal, as arguments have them. */
export function formatOctal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}

/** `0x0000162e`, as `ipcs` shows keys. */
export function formatKey(key: number): string {
  return `0x${(key >>> 0).toString(16).padStart(8, "0")}`;
}

/** `1 process`, `2 processes`. */
export function count(number: number, singular: string, plural: string = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`;
}

/** The local time of day: `08:50:07`. */
export function formatClock(milliseconds: number): string {
  return formatTime(milliseconds).slice(11, 19);
}

/** A short time: `0.3 s`, `12.0 s`, `3 min`. */
export function formatSeen(milliseconds: number): string {
  const seconds = milliseconds / SECOND;
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min`;
}

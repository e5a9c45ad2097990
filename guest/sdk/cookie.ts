// Finds one cookie in a Cookie header (RFC 6265, section 4.2). Internal: functions call
// `req.cookie(name)`.

/** The value of the first cookie `name` in `header`, without surrounding quotes, or `null`. */
export function cookieValue(header: string, name: string): string | null {
  const pairs = header.split(";");
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i].trim();
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.substring(0, equals).trimEnd() !== name) continue;
    const value = pair.substring(equals + 1).trimStart();
    const quoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
    return quoted ? value.substring(1, value.length - 1) : value;
  }
  return null;
}

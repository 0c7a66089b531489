/** What Slack would make of a message (docs.slack.dev: formatting): everything within `<…>` that is none of our two links. */
export function mentionsIn(body: unknown): string[] {
  const texts: string[] = [];
  JSON.stringify(body, (key, value: unknown) => {
    if (key === 'text' && typeof value === 'string') texts.push(value);
    return value;
  });
  return texts
    .flatMap((text) => text.match(/<[^>]*>?/g) ?? [])
    .filter((one) => !/^<https?:\/\/[^|<>\s]*\|(Runbook|Status page)>$/.test(one));
}

import type { Scrape } from './prometheus-text.ts';

const FUNCTIONS = new Set(['rate', 'increase', 'sum', 'max', 'histogram_quantile', 'by', 'label_values']);
/** Prometheus adds these to everything that it scrapes. */
const TARGET_LABELS = new Set(['instance', 'job']);

/** What a query names that a scrape does not have; empty when it can be answered. Knows as much PromQL as the dashboard uses. */
export function unknownNames(query: string, legend: string, { samples }: Scrape): string[] {
  const problems: string[] = [];
  const labelsOf = (metric: string): Set<string> =>
    new Set(samples.filter(({ name }) => name === metric).flatMap(({ labels }) => Object.keys(labels)));
  const bare = query
    .replace(/"[^"]*"/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\$__?[a-z_]+/g, '');
  const metrics: string[] = [];
  const outside = bare.replace(/([a-z_:][a-z0-9_:]*)\s*\{([^}]*)\}/gi, (_, metric: string, selectors: string) => {
    metrics.push(metric);
    for (const [, label = ''] of selectors.matchAll(/([a-z_][a-z0-9_]*)\s*(?:=~|!~|!=|=)/gi))
      if (!TARGET_LABELS.has(label) && !labelsOf(metric).has(label)) problems.push(`${metric} has no label ${label}`);
    return ' ';
  });
  const grouping: string[] = [];
  const ungrouped = outside.replace(/\bby\s*\(([^)]*)\)/g, (_, labels: string) => {
    grouping.push(...labels.split(',').map((label) => label.trim()));
    return ' ';
  });
  for (const [word] of ungrouped.matchAll(/[a-z_:][a-z0-9_:]*/gi))
    if (!FUNCTIONS.has(word) && !TARGET_LABELS.has(word)) metrics.push(word);
  for (const metric of metrics) if (!samples.some(({ name }) => name === metric)) problems.push(`no metric ${metric}`);
  const known = new Set([...TARGET_LABELS, ...metrics.flatMap((metric) => [...labelsOf(metric)])]);
  const shown = [...legend.matchAll(/\{\{\s*([a-z_]+)\s*\}\}/g)].map(([, label = '']) => label);
  for (const label of [...grouping, ...shown]) if (!known.has(label)) problems.push(`no label ${label} in ${query}`);
  return problems;
}

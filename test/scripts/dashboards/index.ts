import type { Page } from '../generate-docs.ts';
import { KEY_DETAIL } from './key.ts';
import { OVERVIEW } from './overview.ts';
import { render } from './panels.ts';
import { SOURCES } from './sources.ts';

/** The dashboards that the stack's Grafana shows. */
export const DASHBOARD_PAGES: readonly Page[] = [OVERVIEW, KEY_DETAIL, SOURCES].map((dashboard) => ({
  file: `config/grafana/dashboards/${dashboard.uid}.json`,
  render: () => render(dashboard),
}));

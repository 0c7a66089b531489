import { storeConformance } from '../conformance/store.ts';
import { StateDir } from './place.ts';

storeConformance('SQLite', async () => new StateDir());

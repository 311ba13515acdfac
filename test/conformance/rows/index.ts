import type { Scenario } from '../scenario.ts';
import { names, permissions, proxied, surface } from './channels.ts';
import { clientSession } from './client-session.ts';
import { connecting } from './connect.ts';
import { delta, filters } from './delta.ts';
import { emulation, unidirectional } from './emulation.ts';
import { expiration } from './expiration.ts';
import { framing } from './framing.ts';
import { recovery } from './recovery.ts';
import { clientsByApi } from './server-api-clients.ts';
import { http, legacyCommands, publishing } from './server-api.ts';
import { history, presence } from './presence-history.ts';
import { subscribing } from './subscribe.ts';
import { anonymity, claims, signatures, subscriptionTokens } from './tokens.ts';
import { unusualInput } from './unusual-input.ts';

/** Every row that servers are asked about. Ids are unique. */
export const ROWS: readonly Scenario[] = [
  ...framing,
  ...emulation,
  ...unidirectional,
  ...connecting,
  ...unusualInput,
  ...clientSession,
  ...subscribing,
  ...presence,
  ...history,
  ...recovery,
  ...expiration,
  ...delta,
  ...filters,
  ...http,
  ...legacyCommands,
  ...publishing,
  ...clientsByApi,
  ...signatures,
  ...claims,
  ...subscriptionTokens,
  ...anonymity,
  ...names,
  ...permissions,
  ...proxied,
  ...surface,
];

// Who may import whom: one row a folder. `values` are imports that run, `types` are those that vanish; `values` includes
// them. Names are folders beside the importing one, or packages without their scope.

/** What each package and service may import of ours. */
export const PACKAGES = {
  'packages/protocol': [],
  'packages/service-kit': [],
  'packages/cluster': ['protocol', 'service-kit'],
  'packages/policy': ['protocol'],
  'packages/config': ['protocol', 'policy'],
  'packages/dev-tools': [],
  'services/gateway': ['protocol', 'service-kit', 'cluster', 'policy', 'config'],
  'services/api': ['protocol', 'service-kit', 'cluster', 'policy', 'config'],
  'services/auth-policy': ['protocol', 'service-kit', 'cluster', 'policy', 'config'],
  'packages/cli': ['protocol', 'service-kit', 'cluster', 'policy', 'config', 'gateway', 'api', 'auth-policy'],
};

/** What a test may import besides. */
export const PACKAGES_FOR_TESTS = ['dev-tools', 'service-kit'];

/** The doors of a service: all that its wiring may use from outside. */
export const SERVICE_DOORS = ['compose', 'config', 'auth'];

/** Adapters of ports: for the file that wires them, and for tests. */
export const ADAPTERS = ['@carillon/cluster/memory', '@carillon/cluster/nats', '@carillon/cluster/contract'];

/** Inside a service: the folders that each folder may import. `compose` and `main`, which may import all, have no row. */
export const FOLDERS = {
  'services/gateway': {
    edge: { values: [], types: ['session'] },
    session: { values: [], types: ['edge', 'fanout'] },
    fanout: { values: [], types: ['edge', 'session'] },
    auth: { values: [], types: ['session'] },
    policy: { values: [], types: ['session'] },
    presence: { values: [], types: ['session', 'fanout'] },
    subscription: { values: ['session', 'fanout', 'auth', 'policy', 'presence'], types: ['edge', 'connection'] },
    connection: { values: ['session', 'fanout', 'policy', 'presence', 'subscription'], types: ['edge'] },
    control: { values: ['session', 'fanout', 'connection', 'subscription'], types: ['presence'] },
    command: {
      values: ['session', 'fanout', 'auth', 'policy', 'presence', 'connection', 'subscription'],
      types: ['edge'],
    },
  },
  'services/api': {
    http: { values: ['method'], types: [] },
    grpc: { values: ['method'], types: [] },
    method: { values: [], types: [] },
  },
  'services/auth-policy': {
    grpc: { values: ['decision'], types: ['rule'] },
    decision: { values: ['rule', 'proxy'], types: ['backend', 'source'] },
    proxy: { values: ['backend'], types: [] },
    backend: { values: [], types: ['proxy'] },
    rule: { values: [], types: [] },
    source: { values: [], types: ['rule'] },
  },
  'packages/protocol': {
    wire: { values: ['gen', 'codes'], types: ['client', 'channel', 'api', 'proxy', 'cluster'] },
    codes: { values: [], types: [] },
    token: { values: ['wire', 'gen'], types: [] },
    fuzz: { values: ['wire'], types: [] },
    channel: { values: ['wire', 'codes'], types: [] },
    client: { values: ['wire', 'codes', 'channel', 'gen'], types: [] },
    api: { values: ['wire', 'codes', 'channel', 'client', 'gen'], types: [] },
    proxy: { values: ['wire', 'codes', 'channel', 'client', 'api', 'gen'], types: [] },
    cluster: { values: ['wire', 'codes', 'channel', 'client', 'api', 'proxy', 'gen'], types: [] },
  },
};

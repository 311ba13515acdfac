export { brokerContract } from './broker.contract.ts';
export type { BrokerContractOptions, BrokerNode, BrokerSetup } from './broker-setup.ts';
export { eventually } from './eventually.ts';
export { RecordingReceiver, textAt, type ReceivedEvent } from './recording-receiver.ts';

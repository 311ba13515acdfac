export { bansContract, type BansSetup } from './bans.contract.ts';
export { brokerContract } from './broker.contract.ts';
export type { BrokerContractOptions, BrokerNode, BrokerSetup } from './broker-setup.ts';
export { controlContract, type ControlNode, type ControlSetup } from './control.contract.ts';
export { eventually } from './eventually.ts';
export { presenceContract, type PresenceSetup } from './presence.contract.ts';
export { userStatusContract, type UserStatusSetup } from './user-status.contract.ts';
export { RecordingHandler } from './recording-handler.ts';
export { RecordingReceiver, textAt, type ReceivedEvent } from './recording-receiver.ts';

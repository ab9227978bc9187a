// Drives a development chain with @polkadot/api: reads storage, submits a signed
// transfer and burned_register, and checks the events. The endpoint is the argument.
import assert from 'node:assert/strict';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const api = await ApiPromise.create({ provider: new WsProvider(process.argv[2]), noInitWarn: true });
const keys = new Keyring({ type: 'sr25519' });
const alice = keys.addFromUri('//Alice');
const other = keys.addFromUri('//interop');

// send resolves to the events of the extrinsic and its error's name, once final.
const send = (tx) => new Promise((resolve, reject) => {
  tx.signAndSend(alice, ({ status, events, dispatchError }) => {
    if (!status.isFinalized) return;
    const names = events.map(({ event }) => `${event.section}.${event.method}`);
    const error = dispatchError?.isModule ? api.registry.findMetaError(dispatchError.asModule).name : dispatchError?.toString();
    resolve({ names, error });
  }).catch(reject);
});

assert.equal(api.runtimeVersion.specVersion.toNumber(), 293);
assert.equal((await api.query.subtensorModule.networksAdded(4)).toHuman(), true);
const before = (await api.query.system.account(other.address)).data.free.toBigInt();

const transfer = await send(api.tx.balances.transferKeepAlive(other.address, 5_000_000_000n));
assert.equal(transfer.error, undefined);
assert(transfer.names.includes('balances.Transfer'), transfer.names);
const after = (await api.query.system.account(other.address)).data.free.toBigInt();
assert.equal(after - before, 5_000_000_000n);

const register = await send(api.tx.subtensorModule.burnedRegister(4, other.address));
assert.equal(register.error, undefined);
assert(register.names.includes('subtensorModule.NeuronRegistered'), register.names);
const uid = (await api.query.subtensorModule.uids(4, other.address)).unwrap();
assert.equal((await api.query.subtensorModule.keys(4, uid)).toString(), other.address);
assert.equal((await api.query.subtensorModule.keys.entries(4)).length, (await api.query.subtensorModule.subnetworkN(4)).toNumber());

const again = await send(api.tx.subtensorModule.burnedRegister(4, other.address));
assert.equal(again.error, 'HotKeyAlreadyRegisteredInSubNet');

const tempo = (await api.query.subtensorModule.tempo(4)).toNumber();
const set = api.tx.adminUtils.sudoSetTempo(4, tempo + 1);
const batch = await send(api.tx.utility.batch([api.tx.system.remark('0x01'), api.tx.sudo.sudo(set), set]));
assert.equal(batch.error, undefined);
for (const name of ['utility.ItemCompleted', 'subtensorModule.TempoSet', 'sudo.Sudid', 'utility.BatchInterrupted']) {
  assert(batch.names.includes(name), `${name}: ${batch.names}`); // the last call is not root's
}
assert.equal((await api.query.subtensorModule.tempo(4)).toNumber(), tempo + 1);

await api.disconnect();
console.log('@polkadot/api: storage, transfer, burned_register, batch, sudo, events and refusal agree');

// Loaded into a gateway by tests (NODE_OPTIONS): a bug of ours, planted where a key is read from its header.

const TRIGGER = 'a-fault-of-ours';
// oxlint-disable-next-line typescript/unbound-method -- called through Reflect.apply below
const { trim } = String.prototype;

// oxlint-disable-next-line no-extend-native -- this is what it is for
String.prototype.trim = function trimOrFail() {
  const text = Reflect.apply(trim, this, []);
  if (text === TRIGGER) throw new Error('planted');
  return text;
};

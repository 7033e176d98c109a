import { vi } from 'vitest';

// Test files share processes, because to start one for each took a third of the tests' time. What a module keeps (the
// time of the last id, compiled patterns) is new for every file all the same.
vi.resetModules();
// And so is the time: a file that left it standing would let every later one wait for ever.
vi.useRealTimers();

import { Session } from 'node:inspector';

interface RemoteObject {
  readonly objectId?: string;
  readonly subtype?: string;
  readonly className?: string;
}
interface Property {
  readonly name: string;
  readonly value?: RemoteObject;
}

/**
 * Sizes of the collections in the private fields of an object, by name, and of those of the objects in them: what a class
 * remembers, without a door in it for tests. Reads through the debugger's protocol; a Map, Set or array counts its entries.
 */
export function privateSizes(target: object): Record<string, number> {
  const session = new Session();
  session.connect();
  const holder = globalThis as { inspected?: object };
  holder.inspected = target;
  try {
    const root = ask<{ result: RemoteObject }>(session, 'Runtime.evaluate', { expression: 'globalThis.inspected' });
    const sizes: Record<string, number> = {};
    collect(session, root.result, '', sizes);
    return sizes;
  } finally {
    delete holder.inspected;
    session.disconnect();
  }
}

function collect(session: Session, { objectId }: RemoteObject, prefix: string, sizes: Record<string, number>): void {
  if (objectId === undefined) return;
  for (const { name, value } of privateProperties(session, objectId)) {
    const path = `${prefix}${name}`;
    if (value === undefined || value.className === 'Function') continue;
    if (isCollection(value)) sizes[path] = sizeOf(session, value);
    else if (value.className === 'Object')
      for (const inner of ownProperties(session, value)) {
        if (inner.value !== undefined && isCollection(inner.value))
          sizes[`${path}.${inner.name}`] = sizeOf(session, inner.value);
      }
    else collect(session, value, `${path}.`, sizes);
  }
}

function isCollection({ subtype }: RemoteObject): boolean {
  return subtype === 'map' || subtype === 'set' || subtype === 'array';
}

function privateProperties(session: Session, objectId: string): readonly Property[] {
  const parameters = { objectId, ownProperties: true };
  return ask<{ privateProperties?: Property[] }>(session, 'Runtime.getProperties', parameters).privateProperties ?? [];
}

function ownProperties(session: Session, { objectId }: RemoteObject): readonly Property[] {
  const parameters = { objectId, ownProperties: true };
  return ask<{ result: Property[] }>(session, 'Runtime.getProperties', parameters).result;
}

function sizeOf(session: Session, { objectId }: RemoteObject): number {
  const { result } = ask<{ result: { value: number } }>(session, 'Runtime.callFunctionOn', {
    objectId,
    functionDeclaration: 'function () { return this.size ?? this.length; }',
    returnByValue: true,
  });
  return result.value;
}

/** The protocol answers before `post` returns, as long as it is the own thread that is asked. */
function ask<T>(session: Session, method: string, parameters: object): T {
  let answer: T | undefined;
  session.post(method, parameters, (error, result) => {
    if (error !== null) throw error;
    answer = result as T;
  });
  if (answer === undefined) throw new Error(`the inspector did not answer ${method} at once`);
  return answer;
}

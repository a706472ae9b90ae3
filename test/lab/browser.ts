import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The browser of this machine, if it has one. */
export function findBrowser(): string | undefined {
  return ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0);
}

export interface PageReport {
  /** Addresses of everything that the page asked for. */
  readonly requests: readonly string[];
  /** What stood on the console, and errors of scripts. */
  readonly messages: readonly string[];
  readonly value: unknown;
}

/** Opens a file at a width, evaluates an expression in it, and takes a picture if asked to. Over the DevTools protocol. */
export async function openPage(
  browser: string,
  file: string,
  options: { readonly width: number; readonly expression: string; readonly screenshot?: string },
): Promise<PageReport> {
  const profile = mkdtempSync(join(tmpdir(), 'wattmesh-browser-'));
  const child = spawn(
    browser,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    const session = await Session.open(await debuggerUrl(child));
    const requests: string[] = [];
    const messages: string[] = [];
    session.on('Network.requestWillBeSent', ({ request }) => requests.push(String((request as { url: string }).url)));
    session.on('Runtime.consoleAPICalled', ({ args }) => messages.push(JSON.stringify(args)));
    session.on('Runtime.exceptionThrown', ({ exceptionDetails }) => messages.push(JSON.stringify(exceptionDetails)));
    session.on('Log.entryAdded', ({ entry }) => messages.push(JSON.stringify(entry)));
    for (const domain of ['Network', 'Runtime', 'Log', 'Page']) await session.send(`${domain}.enable`);
    await session.send('Emulation.setDeviceMetricsOverride', {
      width: options.width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: options.width < 600,
    });
    const loaded = new Promise<void>((resolve) => session.on('Page.loadEventFired', () => resolve()));
    await session.send('Page.navigate', { url: pathToFileURL(file).href });
    await loaded;
    const { result } = (await session.send('Runtime.evaluate', {
      expression: `(${options.expression})`,
      returnByValue: true,
    })) as { result: { value: unknown } };
    if (options.screenshot !== undefined) {
      const { data } = (await session.send('Page.captureScreenshot', { format: 'png' })) as { data: string };
      writeFileSync(options.screenshot, Buffer.from(data, 'base64'));
    }
    session.close();
    return { requests, messages, value: result.value };
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function debuggerUrl(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    const [, port] = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said) ?? [];
    if (port === undefined) continue;
    const pages = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const page = pages.find(({ type }) => type === 'page');
    if (page !== undefined) return page.webSocketDebuggerUrl;
  }
  throw new Error(`the browser ended: ${said}`);
}

type Parameters = Record<string, unknown>;

class Session {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #listeners: { method: string; listener: (parameters: Parameters) => void }[] = [];
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as {
        id?: number;
        method?: string;
        params?: Parameters;
        result?: unknown;
      };
      if (message.id !== undefined) this.#answers.get(message.id)?.(message.result);
      for (const { method, listener } of this.#listeners) if (method === message.method) listener(message.params ?? {});
    });
  }

  static async open(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    return new Session(socket);
  }

  on(method: string, listener: (parameters: Parameters) => void): void {
    this.#listeners.push({ method, listener });
  }

  send(method: string, params: Parameters = {}): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

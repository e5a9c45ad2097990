// What the servers of this folder use of other runtimes than Node, and of packages that are installed for
// a comparison alone: types are checked without either.

declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handle: (request: Request) => Promise<Response>,
  ): unknown;
};

declare const Bun: {
  serve(options: { port: number; hostname: string; fetch: (request: Request) => Promise<Response> }): {
    readonly port: number;
  };
};

declare module "@extism/extism" {
  type HostFunction = (context: unknown, ...values: number[]) => unknown;
  export function createPlugin(
    module: WebAssembly.Module,
    options: { useWasi: boolean; functions: Record<string, Record<string, HostFunction>> },
  ): Promise<{ getInstance(): Promise<WebAssembly.Instance>; close(): Promise<void> }>;
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.txt" {
  const text: string;
  export default text;
}

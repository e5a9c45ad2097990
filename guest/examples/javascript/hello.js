// Says hello to ?name=, as a component made by `mayfly build hello.js`.

addEventListener("fetch", (event) => event.respondWith(hello(event.request)));

async function hello(request) {
  const name = new URL(request.url).searchParams.get("name") ?? "world";
  if (request.method === "POST") return new Response(`${name} says ${await request.text()}`);
  return new Response(`Hello, ${name}!`, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

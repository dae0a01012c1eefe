// The official OpenAI SDK for Node.js against a deployed stack, whose address
// and key are in the environment: ENDPOINT, OTHER_ENDPOINT (another region of
// the same stack), API_KEY and MODEL.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import OpenAI from 'openai';

const { ENDPOINT, OTHER_ENDPOINT, API_KEY, MODEL: model } = process.env;
const at = (endpoint, options = {}) =>
  new OpenAI({ baseURL: endpoint + '/v1', apiKey: API_KEY, maxRetries: 0, ...options });
const client = at(ENDPOINT);
const user = (content) => [{ role: 'user', content }];

const weather = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
};

test('a chat is answered', async () => {
  const { data, response } = await client.chat.completions
    .create({ model, messages: user('Please say 5 words.') })
    .withResponse();
  assert.equal(data.model, model);
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.match(data.choices[0].message.content, /Please say 5 words/);
  assert.ok(data.usage.total_tokens > 0);
  assert.ok(response.headers.get('x-crossregion-region'));
  assert.ok(data._request_id);
});

test('a chat is streamed, usage last', async () => {
  const stream = await client.chat.completions.create({
    model, messages: user('Please say 30 words.'), stream: true, stream_options: { include_usage: true },
  });
  let text = '';
  let chunks = 0;
  let usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    usage = chunk.usage ?? usage;
    chunks++;
  }
  assert.match(text, /Please say 30 words/);
  assert.ok(chunks > 5, `${chunks} chunks`);
  assert.ok(usage.completion_tokens > 0);
});

test('the SDK runs a tool and gets the last word', async () => {
  let called;
  const runner = client.chat.completions.runTools({
    model,
    messages: user('Please call the tool.'),
    tools: [{
      type: 'function',
      function: {
        name: 'get_weather', parameters: weather, parse: JSON.parse,
        function: (args) => { called = args; return 'sunny'; },
      },
    }],
  });
  const last = await runner.finalContent();
  assert.equal(typeof called.city, 'string');
  assert.equal(typeof called.days, 'number');
  assert.ok(last.length > 0);
});

test('an answer has the shape of a JSON schema', async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: user('How is the weather?'),
    response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: weather, strict: true } },
  });
  const parsed = JSON.parse(answer.choices[0].message.content);
  assert.deepEqual(Object.keys(parsed).sort(), ['city', 'days']);
});

test('a response continues another one, in another region', async () => {
  const first = await client.responses.create({ model, input: 'Please say 3 words.' });
  assert.equal(first.status, 'completed');
  assert.match(first.output_text, /Turn 1/);
  const second = await at(OTHER_ENDPOINT).responses.create({
    model, input: 'Please say 4 words.', previous_response_id: first.id,
  });
  assert.match(second.output_text, /Turn 2/);
  assert.equal(second.previous_response_id, first.id);
  const read = await client.responses.retrieve(first.id);
  assert.equal(read.output_text, first.output_text);
  await client.responses.delete(first.id);
  await assert.rejects(client.responses.retrieve(first.id), OpenAI.NotFoundError);
});

test('a response is streamed, event by event', async () => {
  const stream = client.responses.stream({ model, input: 'Please say 20 words.' });
  const types = [];
  let sequence = -1;
  for await (const event of stream) {
    assert.ok(event.sequence_number > sequence);
    sequence = event.sequence_number;
    types.push(event.type);
  }
  const final = await stream.finalResponse();
  assert.equal(types[0], 'response.created');
  assert.equal(types.at(-1), 'response.completed');
  assert.ok(types.includes('response.output_text.delta'));
  assert.match(final.output_text, /Please say 20 words/);
});

test('a session is kept in a conversation and read back page by page', async () => {
  const conversation = await client.conversations.create({ metadata: { topic: 'tests' } });
  for (const text of ['one', 'two', 'three']) {
    await client.responses.create({ model, input: text, conversation: conversation.id });
  }
  const texts = [];
  for await (const item of client.conversations.items.list(conversation.id, { limit: 2, order: 'asc' })) {
    texts.push(item.content[0].text);
  }
  assert.equal(texts.length, 6);
  assert.deepEqual([texts[0], texts[2], texts[4]], ['one', 'two', 'three']);
  assert.match(texts[5], /Turn 3/);
  assert.equal((await client.conversations.retrieve(conversation.id)).metadata.topic, 'tests');
  await client.conversations.delete(conversation.id);
  await assert.rejects(client.conversations.retrieve(conversation.id), OpenAI.NotFoundError);
});

test('errors are the classes that the SDK knows', async () => {
  await assert.rejects(at(ENDPOINT, { apiKey: 'cr_unknown' }).models.list(), OpenAI.AuthenticationError);
  await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages: user('hi') }),
    (e) => e instanceof OpenAI.NotFoundError && e.code === 'model_not_found' && e.param === 'model');
  await assert.rejects(client.chat.completions.create({ model, messages: user('hi'), n: 2 }),
    (e) => e instanceof OpenAI.BadRequestError && e.param === 'n');
  await assert.rejects(client.responses.create({ model, input: 'hi', previous_response_id: 'resp_nope' }),
    (e) => e instanceof OpenAI.NotFoundError || e instanceof OpenAI.BadRequestError);
});

// A region that answers 503 once, before the gateway does: what a client sees
// of it with the SDK's own retries is nothing.
test("the SDK's own retry reaches the answer", async () => {
  let refused = 0;
  const flaky = createServer(async (req, res) => {
    if (refused++ === 0) {
      res.writeHead(503, { 'retry-after-ms': '1' }).end();
      return;
    }
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const answer = await fetch(ENDPOINT + req.url, {
      method: req.method, body: Buffer.concat(chunks),
      headers: { authorization: req.headers.authorization, 'content-type': 'application/json' },
    });
    res.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => flaky.listen(0, '127.0.0.1', resolve));
  try {
    const retrying = at(`http://127.0.0.1:${flaky.address().port}`, { maxRetries: 1 });
    const answer = await retrying.chat.completions.create({ model, messages: user('hello') });
    assert.match(answer.choices[0].message.content, /hello/);
    assert.equal(refused, 2);
  } finally {
    flaky.close();
  }
});

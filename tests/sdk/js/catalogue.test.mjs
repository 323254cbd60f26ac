// Products, SKUs and customer segments through the official JavaScript SDK, unmodified.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import sdk from "@voucherify/sdk";

const { VoucherifyServerSide } = sdk;
const { API_URL, APP_ID, APP_TOKEN } = process.env;

const api = VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: APP_TOKEN });
const unique = Date.now().toString(36);

async function until(condition, what) {
  for (let tries = 0; tries < 200; tries += 1) {
    const value = await condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

const actionDone = (id) =>
  until(async () => {
    const action = await api.asyncActions.get(id);
    return action.status === "DONE" && action;
  }, `async action ${id} done`);

function csv(name, text) {
  const file = path.join(os.tmpdir(), `${name}-${unique}.csv`);
  fs.writeFileSync(file, text);
  return file;
}

test("a product is created, read, updated, listed and deleted", async () => {
  const made = await api.products.create({ source_id: `shoe ${unique}`, name: "Shoe", price: 4000, metadata: { a: 1 } });
  const updated = await api.products.update({ id: made.id, price: 5000, metadata: { b: 2 } });
  const read = await api.products.get(made.id);
  const listed = await api.products.list({ limit: 5, order: "-created_at" });
  await api.products.delete(made.id, { force: true });

  assert.equal(updated.price, 5000);
  assert.deepEqual(read.metadata, { a: 1, b: 2 });
  assert.ok(listed.products.some((one) => one.id === made.id));
  await assert.rejects(api.products.get(made.id), (error) => error.code === 404);
});

test("a SKU is created under its product, read, updated, listed and deleted", async () => {
  const product = await api.products.create({ source_id: `boot ${unique}`, name: "Boot" });
  const made = await api.products.createSku(product.id, { source_id: `boot ${unique} 42`, sku: "42", price: 9000 });
  const updated = await api.products.updateSku(product.id, { id: made.id, price: 8000 });
  const read = await api.products.getSku(made.id);
  const listed = await api.products.listSkus(product.id);
  await api.products.deleteSku(product.id, made.id, { force: true });

  assert.equal(updated.price, 8000);
  assert.deepEqual([read.sku, read.product_id], ["42", product.id]);
  assert.deepEqual(listed.skus.map((one) => one.id), [made.id]);
  await assert.rejects(api.products.getSku(made.id), (error) => error.code === 404);
});

test("products and SKUs come from CSV, and bad rows are named", async () => {
  const ref = `csv-${unique}`;
  const products = await api.products.importCSV(csv("products", `name,source_id,price,brand\nHat,${ref},9.90,Acme\nScarf,${ref}-2,cheap,\n`));
  const imported = await actionDone(products.async_action_id);
  const file = csv("skus", `product_id,source_id,sku,price\n${ref},${ref}-s,S,19.90\nnobody,${ref}-m,M,1\n`);
  const skus = await actionDone((await api.products.importSkusCSV(file)).async_action_id);

  assert.equal(imported.result.done_count, 1);
  assert.deepEqual(imported.result.failed.map((row) => row.row), [3]);
  assert.equal((await api.products.get(ref)).metadata.brand, "Acme");
  assert.deepEqual([skus.result.done_count, skus.result.failed.map((row) => row.row)], [1, [3]]);
  assert.equal((await api.products.getSku(`${ref}-s`)).price, 1990);
});

test("segments of all three types are created, read, asked for and deleted", async () => {
  const vip = await api.customers.create({ source_id: `vip-${unique}`, metadata: { club: `gold-${unique}` } });
  const filter = { junction: "and", "metadata.club": { conditions: { $in: [`gold-${unique}`] } } };

  for (const named of [{ type: "static", customers: [vip.id] }, { type: "passive", filter }, { type: "auto-update", filter }]) {
    const made = await api.segments.create({ name: `VIPs ${named.type}`, ...named });
    const filled = await until(async () => {
      const read = await api.segments.get(made.id);
      return read.initial_sync_status === "DONE" && read;
    }, `segment ${made.id} filled`);
    const listed = await api.customers.list({ segment_id: made.id });
    await api.segments.delete(made.id);

    assert.deepEqual([filled.type, filled.filter], [named.type, named.filter ?? null]);
    assert.deepEqual(listed.customers.map((one) => one.id), [vip.id]);
    await assert.rejects(api.segments.get(made.id), (error) => error.code === 404);
  }
});

test("a filter on a field that does not exist is refused by its name", async () => {
  await assert.rejects(
    api.segments.create({ name: "x", type: "passive", filter: { shoe_size: { conditions: { $is: [42] } } } }),
    (error) => error.code === 400 && error.details.includes("shoe_size"),
  );
});

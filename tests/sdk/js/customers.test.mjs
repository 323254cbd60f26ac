// The official JavaScript SDK, unmodified, keeps customers: only the address is changed.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import sdk from "@voucherify/sdk";

const { VoucherifyClientSide, VoucherifyServerSide } = sdk;
const { API_URL, APP_ID, APP_TOKEN, CLIENT_ID, CLIENT_TOKEN } = process.env;

const api = VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: APP_TOKEN });
const browser = VoucherifyClientSide({
  apiUrl: API_URL,
  clientApplicationId: CLIENT_ID,
  clientSecretKey: CLIENT_TOKEN,
  origin: "https://shop.example",
});
const unique = Date.now().toString(36);
const ann = { source_id: `ann-${unique}`, name: "Ann", email: `ann-${unique}@example.com` };

const types = (list) => list.data.map((event) => event.type);

async function done(id) {
  for (let tries = 0; tries < 100; tries += 1) {
    const action = await api.asyncActions.get(id);
    if (action.status === "DONE") return action;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never done: ${id}`);
}

test("a customer is made, read, changed and listed", async () => {
  const made = await api.customers.create({ ...ann, address: { city: "Oslo" }, birthdate: "1990-05-01" });
  await api.customers.update({ id: made.id, description: "regular", metadata: { size: 38 } });
  const read = await api.customers.get(ann.source_id);

  assert.deepEqual([read.id, read.description, read.birthdate], [made.id, "regular", "1990-05-01"]);
  assert.equal(read.address.city, "Oslo");
  assert.deepEqual(read.metadata, { size: 38 });
  assert.equal((await api.customers.list({ email: ann.email })).total, 1);
});

test("customers come from CSV, and all of them get metadata", async () => {
  const file = path.join(os.tmpdir(), `customers-${unique}.csv`);
  fs.writeFileSync(file, `Source_id,Name,Hobby\ncsv-1-${unique},Bob,chess\ncsv-2-${unique},Eve,\n`);

  const imported = await done((await api.customers.importCSV(file)).async_action_id);
  const sourceIds = [1, 2].map((number) => `csv-${number}-${unique}`);
  await done((await api.customers.updateMetadataInBulk({ source_ids: sourceIds, metadata: { a: 1 } })).async_action_id);

  assert.equal(imported.result.done_count, 2);
  assert.deepEqual((await api.customers.get(sourceIds[0])).metadata, { Hobby: "chess", a: 1 });
});

test("what a customer did is listed in both forms", async () => {
  await api.events.create("cart_abandoned", { customer: { source_id: ann.source_id }, metadata: { items: 3 } });

  const activity = await api.customers.listActivity(ann.source_id, { limit: 10 });
  const activities = await api.customers.listActivities(ann.source_id, { limit: 10 });

  // Segments that other stories have made may have taken them in.
  const own = types(activity).filter((type) => !type.startsWith("customer.segment"));
  assert.deepEqual(own, ["customer.custom_event", "customer.updated", "customer.created"]);
  assert.deepEqual(types(activities), types(activity));
  assert.equal(activities.total, types(activity).length);
});

test("consents are listed and stated", async () => {
  const { groups, consents } = await api.consents.list();
  await api.customers.updateConsents(ann.source_id, {});

  assert.deepEqual([groups.total, consents.total], [0, consents.data.length]);
  assert.equal((await browser.listConsents()).consents.total, consents.total);
  await assert.rejects(api.customers.updateConsents(ann.source_id, { nothing: true }), (error) => error.code === 404);
});

test("a customer is deleted and the source id free again", async () => {
  const first = await api.customers.create({ source_id: `gone-${unique}` });
  await api.customers.delete(first.id);

  await assert.rejects(api.customers.get(first.id), (error) => error.code === 404);
  assert.notEqual((await api.customers.create({ source_id: `gone-${unique}` })).id, first.id);
});

test("a customer is erased for good", async () => {
  const erased = await api.customers.deletePermanently(ann.source_id);

  assert.deepEqual([erased.status, erased.data_json.customer], ["DONE", 1]);
  assert.equal((await api.customers.list({ email: ann.email })).total, 0);
  await assert.rejects(api.customers.get(ann.source_id), (error) => error.code === 404);
});

// A storefront on the official JavaScript SDK, unmodified: its orders, from the cart to the summary.
import assert from "node:assert/strict";
import test from "node:test";

import sdk from "@voucherify/sdk";

const { API_URL, APP_ID, APP_TOKEN } = process.env;
const api = sdk.VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: APP_TOKEN });

const unique = `${Date.now().toString(36)}o`;
const items = [
  { source_id: "cup", quantity: 2, price: 1250, currency: "EUR" },
  { source_id: `jar-${unique}`, quantity: 1, product: { name: "Jar", price: 700, override: true } },
];

async function until(read, holds) {
  for (let turn = 0; turn < 100; turn += 1) {
    const found = await read();
    if (holds(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it did not come to hold");
}

const spent = (customer, count, amount) =>
  until(
    async () => (await api.customers.get(customer)).summary.orders,
    (orders) => orders.total_count === count && orders.total_amount === amount,
  );

test("an order is made, made again, read, changed and canceled", async () => {
  const source_id = `cart-${unique}`;
  const customer = { source_id: `js-buyer-${unique}` };

  const made = await api.orders.create({ source_id, items, customer, currency: "EUR", metadata: { a: 1 } });
  const again = await api.orders.create({ source_id, metadata: { b: 2 } });
  const paid = await api.orders.update({ id: made.id, status: "PAID" });
  const read = await api.orders.get(source_id);

  assert.deepEqual([made.status, made.amount, made.items.length], ["CREATED", 3200, 2]);
  assert.ok(made.items.every((item) => item.id.startsWith("ordli_")));
  assert.equal(again.id, made.id);
  assert.deepEqual([paid.status, read.status], ["PAID", "PAID"]);
  assert.deepEqual(read.metadata, { a: 1, b: 2 });
  assert.equal(read.customer_id, read.customer.id);
  assert.equal((await api.products.get(`jar-${unique}`)).name, "Jar");
  await spent(customer.source_id, 1, 3200);

  const canceled = await api.orders.update({ source_id, status: "CANCELED", customer: null });
  assert.equal(canceled.status, "CANCELED");
  await spent(customer.source_id, 0, 0);
});

test("what was redeemed on an order is read with it", async () => {
  const { code } = await api.vouchers.create({
    type: "DISCOUNT_VOUCHER",
    discount: { type: "PERCENT", percent_off: 10 },
  });
  const made = await api.orders.create({ amount: 5000 });
  const redeemed = await api.redemptions.redeemStackable({
    redeemables: [{ object: "voucher", id: code }],
    order: { id: made.id },
  });

  const read = await api.orders.get(made.id);

  assert.deepEqual([read.total_discount_amount, read.total_amount], [500, 4500]);
  assert.deepEqual(Object.keys(read.redemptions), [redeemed.redemptions[0].id]);
});

test("orders are listed, the newest first, and the last changed", async () => {
  const first = await api.orders.create({ amount: 100 });
  const second = await api.orders.create({ amount: 200 });
  await api.orders.update({ id: first.id, status: "FULFILLED" });

  const newest = await api.orders.list({ limit: 2 });
  const changed = await api.orders.list({ limit: 1, order: "-updated_at" });

  assert.deepEqual(newest.orders.map((order) => order.id), [second.id, first.id]);
  assert.deepEqual(changed.orders.map((order) => order.id), [first.id]);
});

test("historic orders are imported, and again without doubles", async () => {
  const customer = { source_id: `js-old-${unique}` };
  const rows = [1, 2, 3].map((number) => ({ source_id: `old-${number}-${unique}`, status: "PAID", amount: 100, customer }));

  for (const _ of [1, 2]) {
    const { async_action_id } = await api.orders.import(rows);
    const done = await until(() => api.asyncActions.get(async_action_id), (action) => action.status === "DONE");
    assert.equal(done.result.done_count, 3);
  }

  await spent(customer.source_id, 3, 300);
});

test("an unknown order is an error", async () => {
  await assert.rejects(api.orders.get("nobody"), (error) => error.code === 404);
});

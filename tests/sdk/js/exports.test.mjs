// A back office on the official JavaScript SDK, unmodified: what lists show, as files.
import assert from "node:assert/strict";
import test from "node:test";

import sdk from "@voucherify/sdk";

const { API_URL, APP_ID, APP_TOKEN } = process.env;
const api = sdk.VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: APP_TOKEN });

const files = api.distributions.exports;
const unique = `${Date.now().toString(36)}x`.toUpperCase();

async function done(id) {
  for (let turn = 0; turn < 300; turn += 1) {
    const found = await files.get(id);
    if (!["SCHEDULED", "IN_PROGRESS"].includes(found.status)) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it was not made");
}

async function text(exported) {
  const answer = await fetch(exported.result.url);
  assert.equal(answer.status, 200);
  return answer.text();
}

test("chosen columns of filtered codes are a file that needs no key", async () => {
  for (const name of ["A", "B"]) {
    await api.vouchers.create({
      code: `${name}-${unique}`,
      type: "DISCOUNT_VOUCHER",
      discount: { type: "AMOUNT", amount_off: 1050 },
    });
  }

  const made = await files.create({
    exported_object: "voucher",
    parameters: {
      order: "-code",
      fields: ["code", "value"],
      filters: { junction: "AND", code: { conditions: { $ends_with: [unique] } } },
    },
  });
  const ready = await done(made.id);

  assert.deepEqual([made.status, made.result], ["SCHEDULED", null]);
  assert.equal(ready.status, "DONE");
  assert.deepEqual((await text(ready)).split("\n"), [
    "Code,Value",
    `B-${unique},10.50`,
    `A-${unique},10.50`,
    "",
  ]);
});

test("a format besides the published one is asked for like any parameter", async () => {
  const source_id = `js-${unique}`;
  await api.customers.create({ source_id, name: "=1+1", metadata: { level: 3 } });

  const made = await files.create({
    exported_object: "customer",
    parameters: {
      fields: ["source_id", "name", "metadata.level"],
      filters: { source_id: { conditions: { $is: [source_id] } } },
      format: "JSONL",
    },
  });

  assert.deepEqual(JSON.parse(await text(await done(made.id))), {
    source_id,
    name: "=1+1",
    "metadata.level": 3,
  });
  // The Python SDK can't read exports of metadata, and lists them all.
  await files.delete(made.id);
});

test("exports are listed and deleted", async () => {
  const made = await files.create({ exported_object: "redemption" });
  const listed = await files.list({ limit: 100, order: "-created_at" });

  assert.ok(listed.exports.some((one) => one.id === made.id));
  await files.delete(made.id);
  await assert.rejects(files.get(made.id), { code: 404 });
});

test("a field that is not there is refused", async () => {
  await assert.rejects(files.create({ exported_object: "order", parameters: { fields: ["color"] } }), {
    key: "invalid_export_fields",
  });
});

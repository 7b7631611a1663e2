// Is FILE a valid OpenAPI 3.1 document, in the eyes of a validator that is not ours?
//
//     node check.mjs FILE
import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";

const document = JSON.parse(await readFile(process.argv[2], "utf8"));
const validator = new Validator();
const result = await validator.validate(structuredClone(document));
if (!result.valid) {
  console.error(JSON.stringify(result.errors, null, 2));
  process.exit(1);
}
if (validator.version !== "3.1") {
  console.error(`the document is OpenAPI ${validator.version}, wanted was 3.1`);
  process.exit(1);
}
validator.resolveRefs(); // throws where one leads nowhere

import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { empty, linkButton } from "../parts/pieces.js";

class Missing extends View {
  render() {
    return empty(t("There is no such page"), "", linkButton(t("To the stack"), "/"));
  }
}

customElements.define("page-missing", Missing);

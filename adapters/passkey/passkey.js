// The browser's side of passkeys. Each function takes the path of its handler, such as "/passkey/sign-in". A query after
// it goes to the server.

// register adds a passkey to the account that is signed in.
export async function register(path) {
  const { publicKey } = await post(step(path, "begin"), {});
  const made = await navigator.credentials.create({ publicKey: creationOptions(publicKey) });
  await post(step(path, "finish"), registration(made));
}

// signIn signs in, with any passkey of this site or with one of the user who is named.
export async function signIn(path, user = "") {
  await answer(path, user ? { user } : {});
}

// confirm shows a passkey of the account that is signed in.
export async function confirm(path) {
  await answer(path, {});
}

async function answer(path, begin) {
  const { publicKey } = await post(step(path, "begin"), begin);
  const shown = await navigator.credentials.get({ publicKey: requestOptions(publicKey) });
  await post(step(path, "finish"), assertion(shown));
}

function step(path, name) {
  return path.replace(/(?=\?)|$/, "/" + name);
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token) headers["X-CSRF-Token"] = token;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.status === 204) return null;
  const found = await response.json().catch(() => ({}));
  if (response.ok) return found;
  const error = new Error(found.detail || `The server answered ${response.status}.`);
  error.status = response.status;
  throw error;
}

// What follows is for browsers that do not turn JSON into options and answers into JSON by themselves.

function creationOptions(json) {
  if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  }
  return {
    ...json,
    challenge: bytes(json.challenge),
    user: { ...json.user, id: bytes(json.user.id) },
    excludeCredentials: json.excludeCredentials?.map(withBytes),
  };
}

function requestOptions(json) {
  if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  }
  return { ...json, challenge: bytes(json.challenge), allowCredentials: json.allowCredentials?.map(withBytes) };
}

function registration(made) {
  const { clientDataJSON, attestationObject } = made.response;
  return {
    ...common(made),
    response: {
      clientDataJSON: text(clientDataJSON),
      attestationObject: text(attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
  };
}

function assertion(shown) {
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  const response = {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
  };
  if (userHandle) response.userHandle = text(userHandle);
  return { ...common(shown), response };
}

function common(credential) {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: {},
  };
}

function withBytes(descriptor) {
  return { ...descriptor, id: bytes(descriptor.id) };
}

function bytes(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

function text(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

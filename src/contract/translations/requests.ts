import type { REQUEST_CODES } from '../codes/requests.ts';
import type { Translations } from './translation.ts';

export const REQUEST_TRANSLATIONS: Translations<keyof typeof REQUEST_CODES> = {
  INVALID_REQUEST: {
    de: {
      title: 'Ungültige Anfrage',
      sentence:
        '[Die Anfrage ist nicht gültig ({parameter}: „{reason}“)|Die Anfrage ist nicht gültig („{reason}“)|Die Anfrage ist nicht gültig]. Es wurde nichts berechnet. Berichtigen Sie sie und senden Sie sie erneut',
    },
    es: {
      title: 'Solicitud no válida',
      sentence:
        '[La solicitud no es válida ({parameter}: «{reason}»)|La solicitud no es válida («{reason}»)|La solicitud no es válida]. No se ha cobrado nada. Corríjala y envíela otra vez',
    },
    zh: {
      title: '请求无效',
      sentence:
        '[请求无效（{parameter}：“{reason}”）|请求无效（“{reason}”）|请求无效]。没有产生任何费用。请更正后重新发送',
    },
  },
  MALFORMED_REQUEST: {
    de: {
      title: 'Keine lesbare HTTP-Anfrage',
      sentence:
        'Die empfangenen Bytes sind keine gültige HTTP-Anfrage[ („{reason}“)]. Es wurde nichts berechnet. Nutzen Sie einen üblichen HTTP-Client',
    },
    es: {
      title: 'No es una solicitud HTTP legible',
      sentence:
        'Los bytes recibidos no son una solicitud HTTP válida[ («{reason}»)]. No se ha cobrado nada. Use un cliente HTTP estándar',
    },
    zh: {
      title: '无法读取的 HTTP 请求',
      sentence:
        '收到的内容不是有效的 HTTP 请求[（“{reason}”）]。没有产生任何费用。请使用标准的 HTTP 客户端',
    },
  },
  CONTEXT_LENGTH_EXCEEDED: {
    de: {
      title: 'Länger als das Kontextfenster',
      sentence:
        '[Dieser Aufruf braucht mindestens {needed} Tokens, und das Kontextfenster von {model} fasst {allowed_usage}|Dieser Aufruf braucht mindestens {needed} Tokens, und das Kontextfenster fasst {allowed_usage}|Dieser Aufruf passt nicht in das Kontextfenster von {model}|Dieser Aufruf passt nicht in das Kontextfenster]. Es wurde nichts berechnet. Kürzen Sie die Eingabe oder senken Sie max_tokens',
    },
    es: {
      title: 'Más largo que la ventana de contexto',
      sentence:
        '[Esta llamada necesita al menos {needed} tokens y la ventana de contexto de {model} es de {allowed_usage}|Esta llamada necesita al menos {needed} tokens y la ventana de contexto es de {allowed_usage}|Esta llamada no cabe en la ventana de contexto de {model}|Esta llamada no cabe en la ventana de contexto]. No se ha cobrado nada. Acorte la entrada o reduzca max_tokens',
    },
    zh: {
      title: '超过上下文窗口长度',
      sentence:
        '[本次调用至少需要 {needed} 个 Token，而 {model} 的上下文窗口为 {allowed_usage}|本次调用至少需要 {needed} 个 Token，而上下文窗口为 {allowed_usage}|本次调用超出了 {model} 的上下文窗口|本次调用超出了上下文窗口]。没有产生任何费用。请缩短输入，或降低 max_tokens',
    },
  },
  ROUTE_NOT_FOUND: {
    de: {
      title: 'Keine solche Route',
      sentence:
        '[Keine Route beantwortet {method} {path}|Keine Route beantwortet diese Anfrage]. Prüfen Sie Pfad und Hostnamen',
    },
    es: {
      title: 'No existe esa ruta',
      sentence:
        '[Ninguna ruta responde a {method} {path}|Ninguna ruta responde a esta solicitud]. Compruebe la ruta y el nombre del host',
    },
    zh: {
      title: '没有此路由',
      sentence: '[没有路由响应 {method} {path}|没有路由响应此请求]。请检查路径和主机名',
    },
  },
  MODEL_NOT_FOUND: {
    de: {
      title: 'Kein solches Modell',
      sentence:
        '[Das Modell {model} gibt es hier nicht|Ein Modell dieses Namens gibt es hier nicht]. [Meinten Sie {nearest}? ]GET /v1/models nennt die Modelle, die Sie nutzen können',
    },
    es: {
      title: 'No existe ese modelo',
      sentence:
        '[El modelo {model} no existe aquí|Aquí no existe ningún modelo con ese nombre]. [¿Quiso decir {nearest}? ]GET /v1/models enumera los modelos que puede usar',
    },
    zh: {
      title: '没有此模型',
      sentence:
        '[此处没有模型 {model}|此处没有该名称的模型]。[您是不是指 {nearest}？]GET /v1/models 会列出您可以使用的模型',
    },
  },
  NOT_FOUND: {
    de: {
      title: 'Hier ist nichts',
      sentence:
        '[Unter {path} ist nichts zu finden|Unter dieser Adresse ist nichts zu finden]. Prüfen Sie die Adresse',
    },
    es: {
      title: 'Aquí no hay nada',
      sentence: '[No hay nada en {path}|No hay nada en esta dirección]. Compruebe la dirección',
    },
    zh: {
      title: '此处没有内容',
      sentence: '[在 {path} 没有找到任何内容|在此地址没有找到任何内容]。请检查地址',
    },
  },
  TENANT_NOT_FOUND: {
    de: {
      title: 'Kein solcher Mandant',
      sentence:
        '[Den Mandanten {id} gibt es nicht|Diesen Mandanten gibt es nicht]. GET /admin/tenants nennt die Mandanten',
    },
    es: {
      title: 'No existe ese inquilino',
      sentence:
        '[No existe el inquilino {id}|No existe ese inquilino]. GET /admin/tenants enumera los inquilinos',
    },
    zh: {
      title: '没有此租户',
      sentence: '[没有租户 {id}|没有此租户]。GET /admin/tenants 会列出所有租户',
    },
  },
  KEY_NOT_FOUND: {
    de: {
      title: 'Kein solcher Schlüssel',
      sentence:
        '[Den Schlüssel {id} gibt es nicht|Diesen Schlüssel gibt es nicht]. GET /admin/keys nennt die Schlüssel',
    },
    es: {
      title: 'No existe esa clave',
      sentence: '[No existe la clave {id}|No existe esa clave]. GET /admin/keys enumera las claves',
    },
    zh: {
      title: '没有此密钥',
      sentence: '[没有密钥 {id}|没有此密钥]。GET /admin/keys 会列出所有密钥',
    },
  },
  PLAN_NOT_FOUND: {
    de: {
      title: 'Kein solcher Tarif',
      sentence:
        '[Den Tarif {id} gibt es in der Konfiguration nicht|Diesen Tarif gibt es in der Konfiguration nicht]. [Meinten Sie {nearest}? ]Nutzen Sie die id eines Tarifs aus der Konfigurationsdatei',
    },
    es: {
      title: 'No existe ese plan',
      sentence:
        '[No existe el plan {id} en la configuración|No existe ese plan en la configuración]. [¿Quiso decir {nearest}? ]Use el id de un plan del archivo de configuración',
    },
    zh: {
      title: '没有此套餐',
      sentence:
        '[配置中没有套餐 {id}|配置中没有此套餐]。[您是不是指 {nearest}？]请使用配置文件中某个套餐的 id',
    },
  },
  METHOD_NOT_ALLOWED: {
    de: {
      title: 'Methode nicht erlaubt',
      sentence:
        '[{path} beantwortet {method} nicht|Diese Adresse beantwortet die benutzte Methode nicht]. [Nutzen Sie {methods}|Nutzen Sie eine andere Methode]',
    },
    es: {
      title: 'Método no permitido',
      sentence:
        '[{path} no responde a {method}|Esta dirección no responde al método usado]. [Use {methods}|Use otro método]',
    },
    zh: {
      title: '不允许的方法',
      sentence:
        '[{path} 不响应 {method}|此地址不响应所用的方法]。[请使用 {methods}|请使用其他方法]',
    },
  },
  REQUEST_TIMEOUT: {
    de: {
      title: 'Die Anfrage kam zu langsam an',
      sentence:
        'Die Anfrage ist nicht [innerhalb von {timeout_seconds} s|rechtzeitig] vollständig angekommen. Es wurde nichts berechnet. Senden Sie sie auf einer neuen Verbindung erneut',
    },
    es: {
      title: 'La solicitud tardó demasiado en llegar',
      sentence:
        'La solicitud no llegó entera [en {timeout_seconds} s|a tiempo]. No se ha cobrado nada. Envíela otra vez por una conexión nueva',
    },
    zh: {
      title: '请求到达超时',
      sentence:
        '请求[在 {timeout_seconds} 秒内|]没有完整到达。没有产生任何费用。请在新的连接上重新发送',
    },
  },
  IDEMPOTENCY_CONFLICT: {
    de: {
      title: 'Idempotency-Key für andere Anfrage benutzt',
      sentence:
        'Dieser Idempotency-Key wurde schon mit einem anderen Inhalt benutzt. Es wurde nichts geändert. Wiederholen Sie den ersten Inhalt, oder nehmen Sie für eine neue Anfrage einen neuen Schlüssel',
    },
    es: {
      title: 'Idempotency-Key usada para otra solicitud',
      sentence:
        'Esta Idempotency-Key ya se usó con otro contenido. No se ha cambiado nada. Repita el primer contenido o use una clave nueva para una solicitud nueva',
    },
    zh: {
      title: 'Idempotency-Key 已用于其他请求',
      sentence:
        '此 Idempotency-Key 已用于内容不同的请求。没有任何改动。请重复最初的内容，或为新请求使用新的键',
    },
  },
  API_RETIRED: {
    de: {
      title: 'API eingestellt',
      sentence:
        '[{api} wurde eingestellt|Diese API wurde eingestellt][ (am {retired})]. [Nutzen Sie stattdessen {successor}|Fragen Sie den Anbieter, was sie ersetzt]',
    },
    es: {
      title: 'API retirada',
      sentence:
        '[{api} fue retirada|Esta API fue retirada][ el {retired}]. [Use {successor} en su lugar|Pregunte al proveedor qué la sustituye]',
    },
    zh: {
      title: 'API 已下线',
      sentence:
        '[{api} 已下线|此 API 已下线][（{retired}）]。[请改用 {successor}|请联系提供方了解替代方案]',
    },
  },
  BODY_TOO_LARGE: {
    de: {
      title: 'Inhalt zu groß',
      sentence:
        'Der Inhalt ist größer, als diese Route annimmt[: höchstens {allowed_bytes} Byte]. Es wurde nichts berechnet. Senden Sie weniger auf einmal',
    },
    es: {
      title: 'Contenido demasiado grande',
      sentence:
        'El contenido es mayor de lo que admite esta ruta[: como máximo {allowed_bytes} bytes]. No se ha cobrado nada. Envíe menos de una vez',
    },
    zh: {
      title: '请求体过大',
      sentence:
        '请求体超过了此路由接受的大小[：最多 {allowed_bytes} 字节]。没有产生任何费用。请减少单次发送的内容',
    },
  },
  HEADERS_TOO_LARGE: {
    de: {
      title: 'Kopfzeilen zu groß',
      sentence:
        'Anfragezeile und Kopfzeilen sind zu groß[: höchstens {allowed_bytes} Byte]. Es wurde nichts berechnet. Senden Sie weniger oder kürzere Kopfzeilen',
    },
    es: {
      title: 'Cabeceras demasiado grandes',
      sentence:
        'La línea de solicitud y las cabeceras son demasiado grandes[: como máximo {allowed_bytes} bytes]. No se ha cobrado nada. Envíe menos cabeceras o más cortas',
    },
    zh: {
      title: '请求头过大',
      sentence:
        '请求行和请求头过大[：最多 {allowed_bytes} 字节]。没有产生任何费用。请发送更少或更短的请求头',
    },
  },
};

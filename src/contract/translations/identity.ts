import type { IDENTITY_CODES } from '../codes/identity.ts';
import type { Translations } from './translation.ts';

export const IDENTITY_TRANSLATIONS: Translations<keyof typeof IDENTITY_CODES> = {
  KEY_MISSING: {
    de: {
      title: 'API-Schlüssel fehlt',
      sentence:
        'Es wurde kein API-Schlüssel gesendet. Senden Sie Ihren als Authorization: Bearer <key>',
    },
    es: {
      title: 'Falta la clave de API',
      sentence: 'No se envió ninguna clave de API. Envíe la suya como Authorization: Bearer <key>',
    },
    zh: {
      title: '缺少 API 密钥',
      sentence: '请求中没有 API 密钥。请以 Authorization: Bearer <key> 的形式发送您的密钥',
    },
  },
  KEY_UNKNOWN: {
    de: {
      title: 'API-Schlüssel unbekannt',
      sentence:
        'Der gesendete API-Schlüssel ist hier nicht bekannt[ („{reason}“)]. Prüfen Sie, ob er vollständig kopiert wurde und zu diesem Gateway gehört',
    },
    es: {
      title: 'Clave de API desconocida',
      sentence:
        'La clave de API enviada no se conoce aquí[ («{reason}»)]. Compruebe que se copió entera y que es de esta pasarela',
    },
    zh: {
      title: 'API 密钥未知',
      sentence:
        '此处不识别所发送的 API 密钥[（“{reason}”）]。请检查密钥是否复制完整，以及是否属于本网关',
    },
  },
  KEY_REVOKED: {
    de: {
      title: 'API-Schlüssel widerrufen',
      sentence:
        'Dieser API-Schlüssel wurde[ am {revoked}] widerrufen. Nutzen Sie einen anderen oder bitten Sie den Inhaber des Kontos um einen neuen',
    },
    es: {
      title: 'Clave de API revocada',
      sentence:
        'Esta clave de API fue revocada[ el {revoked}]. Use otra o pida una nueva al titular de la cuenta',
    },
    zh: {
      title: 'API 密钥已被撤销',
      sentence: '此 API 密钥已[于 {revoked} ]被撤销。请使用其他密钥，或向账户所有者申请新的密钥',
    },
  },
  KEY_EXPIRED: {
    de: {
      title: 'API-Schlüssel abgelaufen',
      sentence:
        'Dieser API-Schlüssel ist[ am {expired}] abgelaufen. Nutzen Sie einen anderen oder bitten Sie den Inhaber des Kontos um einen neuen',
    },
    es: {
      title: 'Clave de API caducada',
      sentence:
        'Esta clave de API caducó[ el {expired}]. Use otra o pida una nueva al titular de la cuenta',
    },
    zh: {
      title: 'API 密钥已过期',
      sentence: '此 API 密钥已[于 {expired} ]过期。请使用其他密钥，或向账户所有者申请新的密钥',
    },
  },
  ADMIN_TOKEN_INVALID: {
    de: {
      title: 'Admin-Token fehlt oder ist falsch',
      sentence:
        'Die Admin-API braucht ihr Token. Senden Sie den Inhalt der Datei admin.token im Datenverzeichnis als Authorization: Bearer <token>',
    },
    es: {
      title: 'Falta el token de administración o es incorrecto',
      sentence:
        'La API de administración necesita su token. Envíe el contenido del archivo admin.token del directorio de datos como Authorization: Bearer <token>',
    },
    zh: {
      title: '管理令牌缺失或错误',
      sentence:
        '管理 API 需要令牌。请将数据目录中 admin.token 文件的内容以 Authorization: Bearer <token> 的形式发送',
    },
  },
  KEY_ENVIRONMENT_MISMATCH: {
    de: {
      title: 'Schlüssel einer anderen Umgebung',
      sentence:
        '[Dies ist ein Schlüssel der Umgebung {key_environment}, und diese Adresse ist die Umgebung {environment}|Dieser Schlüssel gehört zu einer anderen Umgebung als diese Adresse]. Nutzen Sie einen Schlüssel dieser Umgebung',
    },
    es: {
      title: 'Clave de otro entorno',
      sentence:
        '[Esta clave es del entorno {key_environment} y esta dirección es el entorno {environment}|Esta clave es de otro entorno que esta dirección]. Use una clave de este entorno',
    },
    zh: {
      title: '密钥属于其他环境',
      sentence:
        '[此密钥属于 {key_environment} 环境，而此地址是 {environment} 环境|此密钥与此地址不属于同一环境]。请使用此环境的密钥',
    },
  },
  KEY_PERMISSION_DENIED: {
    de: {
      title: 'Diesem Schlüssel nicht erlaubt',
      sentence:
        '[Dieser Schlüssel hat keine Berechtigung für {permission}|Dieser Schlüssel hat keine Berechtigung für diesen Aufruf]. Nutzen Sie einen, der sie hat, oder fragen Sie den Inhaber dieses Schlüssels',
    },
    es: {
      title: 'No permitido a esta clave',
      sentence:
        '[Esta clave no tiene permiso para {permission}|Esta clave no tiene permiso para esta llamada]. Use una que lo tenga o pregunte al titular de esta',
    },
    zh: {
      title: '此密钥没有权限',
      sentence:
        '[此密钥没有 {permission} 的权限|此密钥没有本次调用的权限]。请使用有权限的密钥，或联系此密钥的所有者',
    },
  },
  KEY_ADDRESS_NOT_ALLOWED: {
    de: {
      title: 'Schlüssel von dieser Adresse nicht erlaubt',
      sentence:
        '[Dieser Schlüssel darf nicht von {address} benutzt werden|Dieser Schlüssel darf nicht von dieser Adresse benutzt werden]. Rufen Sie von einer Adresse auf seiner Liste auf oder bitten Sie den Inhaber, diese aufzunehmen',
    },
    es: {
      title: 'Clave no permitida desde esta dirección',
      sentence:
        '[Esta clave no se puede usar desde {address}|Esta clave no se puede usar desde esta dirección]. Llame desde una dirección de su lista o pida al titular que añada esta',
    },
    zh: {
      title: '此密钥不允许从该地址使用',
      sentence:
        '[此密钥不能从 {address} 使用|此密钥不能从该地址使用]。请从其允许的地址调用，或请所有者添加该地址',
    },
  },
  FORBIDDEN_ROLE: {
    de: {
      title: 'Ihrer Rolle nicht erlaubt',
      sentence:
        '[Die Rolle {role} darf das nicht, die Rolle {required_role} darf es|Die Rolle {role} darf das nicht|Ihre Rolle darf das nicht]. Fragen Sie einen Inhaber des Kontos',
    },
    es: {
      title: 'No permitido a su rol',
      sentence:
        '[El rol {role} no puede hacer esto, el rol {required_role} sí|El rol {role} no puede hacer esto|Su rol no puede hacer esto]. Pregunte a un titular de la cuenta',
    },
    zh: {
      title: '您的角色无权执行',
      sentence:
        '[角色 {role} 无权执行此操作，需要角色 {required_role}|角色 {role} 无权执行此操作|您的角色无权执行此操作]。请联系账户所有者',
    },
  },
  FORBIDDEN_POLICY: {
    de: {
      title: 'Durch eine Regel verboten',
      sentence:
        '[Die Regel {policy} verbietet diesen Aufruf|Eine Regel des Anbieters verbietet diesen Aufruf], und keine Zahlung ändert das. Fragen Sie den Anbieter',
    },
    es: {
      title: 'Prohibido por una política',
      sentence:
        '[La política {policy} prohíbe esta llamada|Una política del proveedor prohíbe esta llamada] y ningún pago lo cambia. Pregunte al proveedor',
    },
    zh: {
      title: '被策略禁止',
      sentence:
        '[策略 {policy} 禁止本次调用|提供方的策略禁止本次调用]，付款也不会改变。请联系提供方',
    },
  },
  SUBSCRIPTION_PENDING_APPROVAL: {
    de: {
      title: 'Zugang wartet auf Freigabe',
      sentence:
        '[Ihr Zugang zu {api} wartet seit dem {requested} auf Freigabe|Ihr Zugang zu {api} wartet auf Freigabe|Ihr Zugang wartet auf Freigabe]. Rufen Sie wieder auf, wenn ein Administrator ihn freigegeben hat',
    },
    es: {
      title: 'El acceso espera aprobación',
      sentence:
        '[Su acceso a {api} espera aprobación desde el {requested}|Su acceso a {api} espera aprobación|Su acceso espera aprobación]. Vuelva a llamar cuando un administrador lo haya aprobado',
    },
    zh: {
      title: '访问正在等待批准',
      sentence:
        '[您对 {api} 的访问自 {requested} 起等待批准|您对 {api} 的访问正在等待批准|您的访问正在等待批准]。请在管理员批准后再调用',
    },
  },
  ACCOUNT_SUSPENDED: {
    de: {
      title: 'Konto gesperrt',
      sentence:
        'Dieses Konto ist gesperrt[ („{reason}“)], und keine Zahlung ändert das. Fragen Sie den Anbieter, warum, und was die Sperre aufhebt',
    },
    es: {
      title: 'Cuenta suspendida',
      sentence:
        'Esta cuenta está suspendida[ («{reason}»)] y ningún pago lo cambia. Pregunte al proveedor por qué y qué lo levanta',
    },
    zh: {
      title: '账户已被停用',
      sentence: '此账户已被停用[（“{reason}”）]，付款也不会改变。请联系提供方了解原因和恢复办法',
    },
  },
  ACCOUNT_UNVERIFIED: {
    de: {
      title: 'Konto nicht bestätigt',
      sentence:
        '[{verification} dieses Kontos wurde noch nicht bestätigt|Dieses Konto wurde noch nicht bestätigt]. Holen Sie das nach, und der Zugang öffnet sich sofort',
    },
    es: {
      title: 'Cuenta sin verificar',
      sentence:
        '[Falta verificar un dato de esta cuenta: {verification}|Falta verificar esta cuenta]. Hágalo y el acceso se abre al instante',
    },
    zh: {
      title: '账户未验证',
      sentence: '[此账户的{verification}尚未验证|此账户尚未验证]。完成验证后立即开通访问',
    },
  },
  HOST_NOT_ALLOWED: {
    de: {
      title: 'Host oder Herkunft nicht erlaubt',
      sentence:
        '[Die Admin-API antwortet nicht unter {host}|Die Admin-API antwortet nicht unter diesem Host oder dieser Herkunft]. Rufen Sie sie unter der Adresse auf, auf der sie lauscht',
    },
    es: {
      title: 'Host u origen no permitido',
      sentence:
        '[La API de administración no responde a {host}|La API de administración no responde a este host u origen]. Llámela por la dirección en la que escucha',
    },
    zh: {
      title: '主机或来源不被允许',
      sentence: '[管理 API 不响应 {host}|管理 API 不响应此主机或来源]。请使用它监听的地址调用',
    },
  },
};

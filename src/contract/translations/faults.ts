import type { FAULT_CODES } from '../codes/faults.ts';
import type { Translations } from './translation.ts';

export const FAULT_TRANSLATIONS: Translations<keyof typeof FAULT_CODES> = {
  INTERNAL_ERROR: {
    de: {
      title: 'Fehler im Gateway',
      sentence:
        'Das Gateway hat bei dieser Anfrage versagt; der Fehler liegt nicht bei Ihnen. Versuchen Sie es erneut und melden Sie die Nummer der Anfrage, wenn es so bleibt',
    },
    es: {
      title: 'Fallo de la pasarela',
      sentence:
        'La pasarela falló al tratar esta solicitud; la culpa no es suya. Reintente y comunique el identificador de la solicitud si persiste',
    },
    zh: {
      title: '网关出错',
      sentence: '网关在处理此请求时出错，问题不在您。请重试；如果仍然出现，请反馈请求编号',
    },
  },
  UPSTREAM_FAILED: {
    de: {
      title: 'Der Dienst dahinter hat versagt',
      sentence:
        'Der Dienst hinter dem Gateway hat abgebrochen oder etwas Unlesbares geantwortet[ („{reason}“)]. Versuchen Sie es erneut und sagen Sie dem Anbieter Bescheid, wenn es so bleibt',
    },
    es: {
      title: 'Falló el servicio de destino',
      sentence:
        'El servicio detrás de la pasarela se interrumpió o respondió algo ilegible[ («{reason}»)]. Reintente y avise al proveedor si persiste',
    },
    zh: {
      title: '上游服务出错',
      sentence:
        '网关后面的服务中断了连接，或返回了无法读取的内容[（“{reason}”）]。请重试；如果仍然出现，请告知提供方',
    },
  },
  BILLING_UNAVAILABLE: {
    de: {
      title: 'Abrechnung nicht erreichbar',
      sentence:
        'Das Gateway kann Geld gerade weder prüfen noch buchen[ („{reason}“)]. Das ist unser Fehler und liegt nicht an Ihrem Guthaben; [{charged_before}|es wurde nichts berechnet]. [Versuchen Sie es in {retry_after} s erneut|Versuchen Sie es in Kürze erneut]',
    },
    es: {
      title: 'Facturación no disponible',
      sentence:
        'La pasarela no puede comprobar ni anotar dinero en este momento[ («{reason}»)]. La culpa es nuestra, no de su saldo, y [{charged_before}|no se ha cobrado nada]. [Reintente en {retry_after} s|Reintente en breve]',
    },
    zh: {
      title: '计费暂不可用',
      sentence:
        '网关目前无法核对或记账[（“{reason}”）]。这是我们的问题，与您的余额无关，[{charged_before}|没有产生任何费用]。[请在 {retry_after} 秒后重试|请稍后重试]',
    },
  },
  UPSTREAM_UNAVAILABLE: {
    de: {
      title: 'Kein Dienst verfügbar',
      sentence:
        'Hinter dieser Route ist gerade kein gesunder Server. Es wurde nichts berechnet. [Versuchen Sie es in {retry_after} s erneut|Versuchen Sie es in Kürze erneut]',
    },
    es: {
      title: 'Ningún servicio de destino disponible',
      sentence:
        'En este momento no hay ningún servidor en buen estado detrás de esta ruta. No se ha cobrado nada. [Reintente en {retry_after} s|Reintente en breve]',
    },
    zh: {
      title: '没有可用的上游服务',
      sentence:
        '此路由后面目前没有正常的服务器。没有产生任何费用。[请在 {retry_after} 秒后重试|请稍后重试]',
    },
  },
  UPSTREAM_PROVIDER_QUOTA_EXHAUSTED: {
    de: {
      title: 'Unser Kontingent beim Anbieter ist verbraucht',
      sentence:
        '[{provider} bedient gerade keine Aufrufe dieses Gateways mehr|Der Dienst hinter dem Gateway bedient gerade keine Aufrufe mehr]; es ist nicht Ihr Kontingent, und [{charged_before}|es wurde nichts berechnet]. Der Betreiber weiß Bescheid. [Versuchen Sie es in {retry_after} s erneut|Versuchen Sie es später erneut]',
    },
    es: {
      title: 'Nuestra cuota en el proveedor está agotada',
      sentence:
        '[{provider} no atiende más llamadas de esta pasarela por ahora|El servicio detrás de la pasarela no atiende más llamadas por ahora]; no es su cuota y [{charged_before}|no se ha cobrado nada]. El operador ya lo sabe. [Reintente en {retry_after} s|Reintente más tarde]',
    },
    zh: {
      title: '网关在上游的配额已用尽',
      sentence:
        '[{provider} 目前不再处理本网关的调用|网关后面的服务目前不再处理其调用]；这不是您的配额，[{charged_before}|也没有产生任何费用]。运营方已收到通知。[请在 {retry_after} 秒后重试|请稍后重试]',
    },
  },
  OVERLOADED: {
    de: {
      title: 'Das Gateway ist ausgelastet',
      sentence:
        'Das Gateway hat gerade mehr Arbeit, als es annehmen kann. Es wurde nichts berechnet. [Versuchen Sie es in {retry_after} s erneut|Versuchen Sie es in Kürze erneut]',
    },
    es: {
      title: 'La pasarela está ocupada',
      sentence:
        'La pasarela tiene en este momento más trabajo del que puede aceptar. No se ha cobrado nada. [Reintente en {retry_after} s|Reintente en breve]',
    },
    zh: {
      title: '网关繁忙',
      sentence:
        '网关目前的工作量超出了承受能力。没有产生任何费用。[请在 {retry_after} 秒后重试|请稍后重试]',
    },
  },
  UPSTREAM_TIMEOUT: {
    de: {
      title: 'Der Dienst dahinter war zu langsam',
      sentence:
        'Der Dienst hinter dem Gateway hat nicht [innerhalb von {timeout_seconds} s|rechtzeitig] geantwortet. Versuchen Sie es erneut und sagen Sie dem Anbieter Bescheid, wenn es so bleibt',
    },
    es: {
      title: 'El servicio de destino tardó demasiado',
      sentence:
        'El servicio detrás de la pasarela no respondió [en {timeout_seconds} s|a tiempo]. Reintente y avise al proveedor si persiste',
    },
    zh: {
      title: '上游服务响应超时',
      sentence:
        '网关后面的服务没有[在 {timeout_seconds} 秒内|及时]响应。请重试；如果仍然出现，请告知提供方',
    },
  },
};
